#include "weir/stage/bound_recipe.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory_resource>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/bits.hpp"
#include "support/network.hpp"
#include "support/ranks.hpp"
#include "support/stages.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"
#include "weir/workers/local_batch.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Weights = std::vector<float>;

constexpr std::size_t workers = 3, micro_batches = 3, local_batch = 2;

auto make_pool(weir::HostExecutor const& executor) {
  return weir::StreamWorkerPool<weir::HostExecutor>(
      executor, {.workers = workers, .buckets = network::plan(), .local_batch = local_batch});
}

auto make_recipe() {
  return weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} |
         weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}};
}

/// What a step that fails throws at last, and how long that takes.
template <class Work>
std::optional<weir::WorkerError> worker_error_of(Work const& work) {
  auto const begin = Clock::now();
  try {
    work();
  } catch (weir::WorkerError const& error) {
    CHECK(Clock::now() - begin < 10s);
    return error;
  }
  return std::nullopt;
}

/// Gives way until `condition()`, at most 10 s.
template <class Condition>
bool comes_true(Condition const& condition) {
  auto const end = Clock::now() + 10s;
  while (!condition()) {
    if (Clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}

TEST_CASE("an exception of any worker in any micro-batch is rethrown once, and names both") {
  auto const data = network::samples(workers * micro_batches * local_batch);
  // Where in the backward pass: before it has reported anything, or after one or two buckets.
  for (std::size_t parameter : {network::last, network::second, network::bias}) {
    for (std::size_t worker = 0; worker < workers; ++worker) {
      for (std::size_t index = 0; index < micro_batches; ++index) {
        std::atomic<bool> armed = true;
        auto const model = network::Model([&](auto& micro, std::size_t p) {
          bool const is_here = micro.worker() == worker && micro.index() == index && p == parameter;
          if (is_here && armed.exchange(false)) throw std::runtime_error("no such layer");
        });
        weir::HostExecutor const executor;
        auto weights = network::initial_weights();
        auto pool = make_pool(executor);
        auto sync = make_recipe().on(pool, weir::view(weights));
        auto const error = worker_error_of([&] {
          sync(pool(network::Batch(data), model));
          sync(pool(network::Batch(data), model));  // may be enqueued before the failure is known
          sync.wait();
        });
        REQUIRE(error);
        CHECK(error->worker() == worker);
        CHECK(error->micro_batch() == index);
        CHECK(error->what() == "rank 0, worker " + std::to_string(worker) + ", micro-batch " +
                                   std::to_string(index) + ": no such layer");
        CHECK_THROWS_AS(std::rethrow_exception(error->cause()), std::runtime_error);
        CHECK_NOTHROW(sync.wait());

        // The bucket of the last parameter is applied only when its last micro-batch has been reported.
        if (weights == network::initial_weights()) {
          sync(pool(network::Batch(data), model));
          CHECK_NOTHROW(sync.wait());
          CHECK(weights != network::initial_weights());
        }
      }
    }
  }
}

TEST_CASE("a step that fails before any bucket was applied leaves no trace") {
  auto const data = network::samples(workers * micro_batches * local_batch);
  auto const train = [&](bool fails) {
    std::atomic<bool> armed = false;
    auto const model = network::Model([&](auto& micro, std::size_t) {
      if (micro.worker() == 1 && micro.index() == 1 && armed.exchange(false))
        throw std::runtime_error("once");
    });
    weir::HostExecutor const executor;
    auto weights = network::initial_weights();
    auto pool = make_pool(executor);
    auto sync = make_recipe().on(pool, weir::view(weights));
    for (int step = 0; step < 6; ++step) {
      if (fails && step % 2 == 0) {
        armed = true;
        CHECK(worker_error_of([&] {
          sync(pool(network::Batch(data), model));
          sync.wait();
        }));
      }
      sync(pool(network::Batch(data), model));
      sync.wait();
    }
    return weights;
  };
  CHECK(same_bits(train(true), train(false)));
}

TEST_CASE("after a torn step the recipe refuses further ones until the weights are restored") {
  auto const data = network::samples(workers * micro_batches * local_batch);
  std::atomic<std::size_t> applied = 0;
  auto const count = [&](std::size_t, std::uint64_t) { ++applied; };
  std::atomic<bool> fails = true;
  auto const model = network::Model([&](auto& micro, std::size_t parameter) {
    bool const is_last = micro.index() == micro_batches - 1;
    if (!fails || micro.worker() != 0 || !is_last || parameter != network::bias) return;
    comes_true([&] { return applied > 0; });  // one bucket or two
    throw std::runtime_error("too late");
  });
  weir::HostExecutor const executor;
  auto weights = network::initial_weights();
  auto pool = make_pool(executor);
  auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} |
               weir::Sgd{{.learning_rate = 0.1}} | Watch{count})
                  .on(pool, weir::view(weights));
  auto const error = worker_error_of([&] {
    sync(pool(network::Batch(data), model));
    sync.wait();
  });
  REQUIRE(error);
  CHECK(error->worker() == 0);
  CHECK(weights != network::initial_weights());
  fails = false;
  for (int attempt = 0; attempt < 2; ++attempt)
    CHECK_THROWS_AS(sync(pool(network::Batch(data), model)), weir::TornStep);
  CHECK_NOTHROW(sync.wait());

  std::ranges::copy(network::initial_weights(), weights.begin());
  sync.restored();
  sync(pool(network::Batch(data), model));
  CHECK_NOTHROW(sync.wait());

  auto expected = network::initial_weights();
  auto other = make_pool(executor);
  auto again =
      (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}})
          .on(other, weir::view(expected));
  again(other(network::Batch(data), model));
  again.wait();
  CHECK(same_bits(weights, expected));
}

TEST_CASE("of several workers that throw, the lowest is named") {
  for (int run = 0; run < 20; ++run) {
    std::atomic<std::size_t> arrived = 0;
    auto const model = network::Model([&](auto& micro, std::size_t) {
      if (micro.worker() == 0) return;
      ++arrived;
      comes_true([&] { return arrived == workers - 1; });
      throw 42;
    });
    auto const data = network::samples(workers * local_batch);
    weir::HostExecutor const executor;
    auto weights = network::initial_weights();
    auto pool = make_pool(executor);
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{}}).on(pool, weir::view(weights));
    auto const error = worker_error_of([&] {
      sync(pool(network::Batch(data), model));
      sync.wait();
    });
    REQUIRE(error);
    CHECK(error->worker() == 1);
    CHECK(std::string(error->what()) ==
          "rank 0, worker 1, micro-batch 0: an exception that is not a std::exception");
  }
}

TEST_CASE("the other workers stop at their next bucket report or micro-batch") {
  std::function<bool()> has_failed;
  std::atomic<int> went_on = 0;
  auto const model = network::Model([&](auto& micro, std::size_t parameter) {
    if (micro.worker() == 1) throw std::runtime_error("first");
    if (parameter == network::last) CHECK(comes_true(has_failed));  // so the next report is the last
    if (parameter != network::last) went_on += parameter != network::second;
  });
  auto const data = network::samples(workers * micro_batches * local_batch);
  weir::HostExecutor const executor;
  auto weights = network::initial_weights();
  auto pool = make_pool(executor);
  auto sync = make_recipe().on(pool, weir::view(weights));
  has_failed = [&] { return sync.has_failed(); };
  CHECK(worker_error_of([&] {
    sync(pool(network::Batch(data), model));
    sync.wait();
  }));
  CHECK(went_on == 0);
}

TEST_CASE("an exception in a stage, at any bucket, is rethrown and the pool can be used again") {
  auto const data = network::samples(workers * micro_batches * local_batch);
  for (std::size_t failing = 0; failing < network::parameters; ++failing) {
    bool armed = true;
    auto const throwing = [&](auto const& gradient) {
      if (gradient.bucket == failing && std::exchange(armed, false)) throw std::domain_error("in a stage");
    };
    auto const model = network::model();
    weir::HostExecutor const executor;
    auto weights = network::initial_weights();
    auto pool = make_pool(executor);
    auto sync =
        (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | Peek{throwing} | weir::Sgd{{}})
            .on(pool, weir::view(weights));
    auto const begin = Clock::now();
    sync(pool(network::Batch(data), model));
    CHECK_THROWS_WITH_AS(sync.wait(), "in a stage", std::domain_error);
    CHECK(Clock::now() - begin < 10s);
    if (failing != 0) {
      CHECK_THROWS_AS(sync(pool(network::Batch(data), model)), weir::TornStep);
      sync.restored();
    }
    sync(pool(network::Batch(data), model));
    CHECK_NOTHROW(sync.wait());
  }
}

TEST_CASE("restored() tells of a failure that nobody has been told of, and the step is not counted") {
  auto const data = network::samples(workers * micro_batches * local_batch);
  bool fails = false;
  auto const model = network::Model([&](auto& micro, std::size_t parameter) {
    if (fails && micro.worker() == 0 && parameter == network::bias) throw std::runtime_error("untold");
  });
  weir::HostExecutor const executor;
  auto weights = network::initial_weights();
  auto pool = make_pool(executor);
  auto sync = make_recipe().on(pool, weir::view(weights));
  sync(pool(network::Batch(data), model));
  executor.synchronize();
  fails = true;
  sync(pool(network::Batch(data), model));
  executor.synchronize();
  CHECK(worker_error_of([&] { sync.restored(); }));
  CHECK(sync.steps() == 1);
  CHECK(sync.started() == 1);
  fails = false;
  sync.restored();
  sync(pool(network::Batch(data), model));
  sync.wait();
  CHECK(sync.steps() == 2);
}

TEST_CASE("a rank that fails makes the others raise long before their deadline") {
  auto const data = network::samples(3 * workers * micro_batches * local_batch);
  for (bool in_a_stage : {false, true}) {
    std::atomic<int> worker_errors = 0, stage_errors = 0, peer_errors = 0;
    on_ranks(3, [&](weir::ThreadCommunicator const& communicator) {
      bool const is_failing = communicator.rank() == 1;
      auto const model = network::Model([&](auto& micro, std::size_t parameter) {
        bool const is_here = micro.worker() == 2 && micro.index() == 1 && parameter == network::second;
        if (is_failing && !in_a_stage && micro.step() == 1 && is_here) throw std::runtime_error("rank 1");
      });
      auto const throwing = [&](auto const& gradient) {
        if (is_failing && in_a_stage && gradient.step.number == 1 && gradient.bucket == 2)
          throw std::domain_error("rank 1");
      };
      weir::HostExecutor const executor;
      auto weights = network::initial_weights();
      auto pool = make_pool(executor);
      auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | Peek{throwing} |
                   weir::AllReduce{communicator} | weir::Sgd{{}})
                      .on(pool, weir::view(weights));
      auto const begin = Clock::now();
      try {
        for (int step = 0; step < 4; ++step) sync(pool(network::Batch(data), model));
        sync.wait();
      } catch (weir::PeerAborted const&) {
        ++peer_errors;
      } catch (weir::WorkerError const&) {
        ++worker_errors;
      } catch (std::domain_error const&) {
        ++stage_errors;
      }
      CHECK(Clock::now() - begin < 10s);
    });
    CHECK(worker_errors == (in_a_stage ? 0 : 1));
    CHECK(stage_errors == (in_a_stage ? 1 : 0));
    CHECK(peer_errors == 2);
  }
}

TEST_CASE("a rank that never comes is reported within the deadline") {
  auto const group = weir::ThreadCommunicator::group(2, {.deadline = 100ms});
  weir::HostExecutor const executor;
  Weights weights(1);
  weir::StreamWorkerPool pool{executor, {.buckets = weir::BucketPlan::by_bytes({4})}};
  auto sync =
      (weir::LocalAggregator{} | weir::AllReduce{group[0]} | weir::Sgd{{}}).on(pool, weir::view(weights));
  auto const model = [](auto&) {};
  int const samples[2] = {};
  auto const begin = Clock::now();
  CHECK_THROWS_AS(sync(pool(std::span<int const>(samples), model)), weir::PeerTimeout);
  CHECK(Clock::now() - begin < 10s);
}

TEST_CASE("bucket 0 is reduced and applied while the backward pass of other buckets runs") {
  auto const data = network::samples(2 * workers * micro_batches * local_batch);
  std::atomic<bool> in_time = true;
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    std::atomic<std::uint64_t> applied = 0;  // steps of bucket 0
    auto const count = [&](std::size_t bucket, std::uint64_t) { applied += bucket == 0; };
    auto const model = network::Model([&](auto& micro, std::size_t parameter) {
      if (micro.index() != micro_batches - 1 || parameter != network::second) return;
      // No worker leaves its backward pass before bucket 0 has passed the collective and the update.
      if (!comes_true([&] { return applied > micro.step(); })) in_time = false;
    });
    weir::HostExecutor const executor;
    auto weights = network::initial_weights();
    auto pool = make_pool(executor);
    auto sync =
        (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
         weir::WeightSync{weir::WeightPolicy::overlap, weir::Sgd{{.learning_rate = 0.1}}} | Watch{count})
            .on(pool, weir::view(weights));
    for (int step = 0; step < 5; ++step) sync(pool(network::Batch(data), model));
    sync.wait();
    CHECK(applied == 5);
  });
  CHECK(in_time);
}

TEST_CASE("a resize that is refused changes nothing") {
  auto const data = network::samples(workers * micro_batches * local_batch);
  auto const model = network::model();
  auto const train = [&](bool with_refused) {
    weir::HostExecutor const executor;
    auto weights = network::initial_weights();
    auto pool = make_pool(executor);
    auto sync = make_recipe().on(pool, weir::view(weights));
    for (int step = 0; step < 3; ++step) {
      sync(pool(network::Batch(data), model));
      if (!with_refused) continue;
      CHECK_THROWS_AS(sync.resize({0, 2, 2}), weir::ContractViolation);
      CHECK_THROWS_AS(sync.resize({5, 0, 2}), weir::ContractViolation);
      CHECK_THROWS_AS(sync.resize({2, 2, 0}), weir::ContractViolation);
      CHECK(pool.workers() == workers);
      CHECK(sync.layout().micro_batches == micro_batches);
    }
    sync.wait();
    return weights;
  };
  CHECK(same_bits(train(true), train(false)));
}

TEST_CASE("a resize to more micro-batches is refused where no stage accumulates them, and changes nothing") {
  char const* const refusal =
      "2 micro-batches per worker: the recipe has no GradAccumulator, 1 would be right";
  std::vector<int> const samples(8, 1);
  auto const check = [&](weir::ElementType type, auto const& batch, auto const& model) {
    CAPTURE(weir::name_of(type));
    weir::HostExecutor const executor;
    Weights weights(4);
    weir::StreamWorkerPool pool(executor,
                                {.workers = 2,
                                 .buckets = weir::BucketPlan::per_parameter({{weights.size(), type}}),
                                 .local_batch = 2});
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1}}).on(pool, weir::view(weights));
    sync(pool(batch(4), model));
    CHECK_THROWS_WITH_AS(sync.resize({3, 2, 2}), refusal, weir::ContractViolation);
    CHECK(pool.workers() == 2);
    CHECK(sync.layout().micro_batches == 1);
    sync(pool(batch(4), model));
    sync.resize({4, 1, 2});
    sync(pool(batch(8), model));
    sync.wait();
    CHECK(weights == Weights(weights.size(), -3));
  };
  auto const whole = [&](std::size_t count) { return std::span<int const>(samples).first(count); };
  auto const local = [&](std::size_t count) { return weir::LocalBatch{whole(count)}; };
  auto const fill = [](auto values) {
    for (auto& value : values) value = std::remove_cvref_t<decltype(value)>(1.0f);
  };
  auto const halves = [&](auto& micro) { fill(micro.template gradient<weir::half>(0)); };
  auto const floats = [&](auto& micro) { fill(micro.gradient(0)); };
  check(weir::ElementType::float16, whole, halves);
  check(weir::ElementType::float16, local, halves);
  check(weir::ElementType::float32, local, floats);
}

TEST_CASE("an exchange of layouts that has failed is what every later call tells, until the next exchange") {
  auto const ranks = weir::ThreadCommunicator::group(2, {.deadline = 50ms});
  auto const data = network::samples(2 * workers * micro_batches * local_batch);
  auto const model = network::model();
  auto const check_failed = [](auto const& call) {
    CHECK_THROWS_WITH_AS(call(), doctest::Contains("rank 1"), weir::PeerTimeout);
  };
  auto const check_all_failed = [&](auto& sync, auto& pool) {
    for (int round = 0; round < 2; ++round) {
      check_failed([&] { sync(pool(network::Batch(data), model)); });
      check_failed([&] { (void)sync.ranks(); });
      check_failed([&] { sync.settle(); });
      weir::Archive archive;
      check_failed([&] { sync.save(archive); });
      CHECK(archive.size() == 0);
      check_failed([&] { sync.load(archive); });
    }
    sync.wait();
    CHECK(sync.started() == 0);
  };
  weir::HostExecutor const executor;
  auto weights = network::initial_weights();
  auto pool = make_pool(executor);
  auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | weir::AllReduce{ranks[0]} |
               weir::Sgd{{.learning_rate = 0.1}})
                  .on(pool, weir::view(weights));
  check_all_failed(sync, pool);
  sync.resize({2, 2, 2});
  check_all_failed(sync, pool);
  CHECK(same_bits(weights, network::initial_weights()));
}

TEST_CASE("a rank that is missing at a resize leaves the others no layout, not the former one") {
  auto const ranks = weir::ThreadCommunicator::group(2, {.deadline = 200ms});
  std::atomic<bool> is_over = false;
  auto const train = [&](std::size_t rank) {
    weir::HostExecutor const executor;
    auto weights = network::initial_weights();
    auto pool = make_pool(executor);
    auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} |
                 weir::AllReduce{ranks[rank]} | weir::Sgd{{.learning_rate = 0.1}})
                    .on(pool, weir::view(weights));
    CHECK(sync.ranks().total_micro_batches() == 2 * workers * micro_batches);
    if (rank == 1) {
      CHECK(comes_true([&] { return is_over.load(); }));
      return;
    }
    sync.resize({1, 2, local_batch});
    CHECK_THROWS_AS((void)sync.ranks(), weir::PeerTimeout);
    CHECK_THROWS_AS((void)sync.ranks(), weir::PeerTimeout);
    is_over = true;
  };
  std::thread other([&] { train(1); });
  train(0);
  other.join();
}

TEST_CASE("weights that do not fit the plan are refused with both sizes") {
  weir::HostExecutor const executor;
  Weights weights(network::total + 1);
  auto pool = make_pool(executor);
  CHECK_THROWS_WITH_AS(make_recipe().on(pool, weir::view(weights)),
                       "the weights have 73 elements, the bucket plan has 72", weir::ContractViolation);
}

TEST_CASE("what a stage enqueued when it was bound may be in flight when everything is destroyed") {
  std::vector<float> weights(100'000);
  weir::HostExecutor const executor;
  auto const model = [](auto&) {};
  int const samples[2] = {};
  for (int round = 0; round < 50; ++round) {
    weir::StreamWorkerPool pool{
        executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({200'000, 200'000}, 1, 1)}};
    auto sync = (weir::LocalAggregator{} | weir::WeightSync{weir::WeightPolicy::overlap,
                                                            weir::Sgd{{.learning_rate = 1, .momentum = 0.5}}})
                    .on(pool, weir::view(weights));
    if (round % 2 == 1) sync(pool(std::span<int const>(samples), model));
    if (round % 3 == 1) sync.set_learning_rate(0.5);
    if (round % 3 == 2) sync.restored();
  }
}

TEST_CASE("memory that runs out while binding is reported, whatever allocation it hits") {
  struct Failing : std::pmr::memory_resource {
    std::size_t left = 0;
    void* do_allocate(std::size_t size, std::size_t alignment) override {
      if (left == 0) throw std::bad_alloc();
      --left;
      return std::pmr::new_delete_resource()->allocate(size, alignment);
    }
    void do_deallocate(void* memory, std::size_t size, std::size_t alignment) override {
      std::pmr::new_delete_resource()->deallocate(memory, size, alignment);
    }
    bool do_is_equal(std::pmr::memory_resource const& other) const noexcept override {
      return this == &other;
    }
  } memory;
  Weights weights(100'000, 1.0f);
  auto const group = weir::ThreadCommunicator::group(1);
  std::size_t allocations = 0;
  for (bool is_bound = false; !is_bound; ++allocations) {
    memory.left = allocations;
    weir::HostExecutor const executor{{.memory = &memory}};
    try {
      weir::StreamWorkerPool pool{
          executor, {.workers = 3, .buckets = weir::BucketPlan::by_bytes({200'000, 200'000}, 1, 1)}};
      auto sync =
          (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::AllReduce{group[0]} |
           weir::WeightSync{weir::WeightPolicy::overlap, weir::Sgd{{.learning_rate = 1, .momentum = 0.5}}})
              .on(pool, weir::view(weights));
      is_bound = true;
    } catch (weir::OutOfMemory const& error) {
      CHECK(error.bytes() > 0);
    }
  }
  CHECK(allocations > 5);
  CHECK(weights == Weights(100'000, 1.0f));
}
