#include "weir/workers/stream_worker_pool.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory_resource>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "support/bits.hpp"
#include "support/bucket_orders.hpp"
#include "support/collect.hpp"
#include "support/network.hpp"
#include "support/ranks.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"

namespace {

using namespace std::chrono_literals;
using Weights = std::vector<float>;

/// Trains two ranks with 3 workers and 2 micro-batches for a few steps.
template <class Hook>
std::vector<Weights> train(network::Batch batch, Hook const& hook) {
  std::vector<Weights> results(2);
  on_ranks(2, [&](weir::ThreadCommunicator const& communicator) {
    auto const model = network::Model(hook);
    auto weights = network::initial_weights();
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = network::plan(), .local_batch = 2}};
    auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
                 weir::Sgd{{.learning_rate = 0.2, .momentum = 0.9}})
                    .on(pool, weir::view(weights));
    for (int step = 0; step < 4; ++step) sync(pool(batch, model));
    sync.wait();
    results[communicator.rank()] = weights;
  });
  return results;
}

/// Six parameters of one element. Gradients are small integers that tell step, micro-batch and parameter
/// apart; parameters 4 and 5 are left alone by some micro-batches.
constexpr std::size_t parameters = 6;
int integer_gradient(std::size_t step, std::size_t u, std::size_t parameter) {
  return static_cast<int>((step + 2) * 64 + (u + 1) * 4 + parameter);
}
bool is_touched(std::size_t step, std::size_t u, std::size_t parameter) {
  if (parameter == 4) return (u + step) % 3 == 2;  // by the last micro-batch of each worker, or the first
  if (parameter == 5) return u % 3 == 1;           // by the second
  return true;
}

/// Trains 4 buckets with 3 workers, in step s of which each worker reports in `order_of(s, worker)`. The sums
/// depend on the order of their terms.
template <class OrderOf>
Weights train_in_orders(std::size_t steps, OrderOf const& order_of) {
  constexpr std::size_t workers = 3;
  weir::HostExecutor const executor;
  Weights weights(26, 1.0f);
  weir::StreamWorkerPool pool{
      executor, {.workers = workers, .buckets = weir::BucketPlan::by_bytes({32, 28, 24, 20}, 1, 1)}};
  auto const model = [&](auto& micro) {
    for (std::size_t bucket : order_of(micro.step(), micro.worker())) {
      float const share = static_cast<float>(micro.step() % 7 + 1) / static_cast<float>(micro.worker() + 3);
      for (float& g : micro.bucket_gradient(bucket)) g = share * static_cast<float>(bucket + 1);
      micro.ready(bucket);
    }
  };
  int const samples[workers] = {};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.01, .momentum = 0.9}})
                  .on(pool, weir::view(weights));
  for (std::size_t step = 0; step < steps; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  return weights;
}

}

TEST_CASE("100 runs with random delays in the workers give the same bits") {
  auto const data = network::samples(2 * 3 * 2 * 2 - 3);
  auto const expected = train(network::Batch(data), network::NoHook{});
  CHECK(same_bits(expected[0], expected[1]));
  for (unsigned run = 0; run < 100; ++run) {
    auto const delay = [run](auto& micro, std::size_t parameter) {
      std::mt19937 random(run + 1000 * static_cast<unsigned>(parameter + 10 * micro.global_index()));
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 100));
    };
    auto const found = train(network::Batch(data), delay);
    CHECK(same_bits(found[0], expected[0]));
    CHECK(same_bits(found[1], expected[0]));
  }
}

TEST_CASE("buckets may be reported in all orders by each of 3 workers, with the same bits") {
  auto const in_order = [](std::uint64_t, std::size_t) { return bucket_orders()[0]; };
  auto const expected = train_in_orders(steps_of_all_orders, in_order);
  auto const found = train_in_orders(steps_of_all_orders, bucket_order);
  CHECK(same_bits(found, expected));
  CHECK(expected[0] != expected[25]);
}

TEST_CASE("a delayed worker gets, and gives, no stale gradient") {
  constexpr std::size_t workers = 4, micro_batches = 3, steps = 2;
  auto const plan = weir::BucketPlan::by_bytes({4, 4, 4, 4, 4, 4}, 1, 1);
  int const samples[workers * micro_batches] = {};
  // The delay comes before bucket `delayed_at`, or after the last.
  for (std::size_t delayed_at = 0; delayed_at <= parameters; ++delayed_at) {
    for (std::size_t delayed_worker : {std::size_t{0}, workers - 1}) {
      weir::HostExecutor const executor;
      Weights weights(parameters);
      weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = plan}};
      std::vector<Weights> found;
      auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{weir::SumScale{}} |
                   Collect<float>{found})
                      .on(pool, weir::view(weights));
      auto const model = [&](auto& micro) {
        auto const sleep = [&](std::size_t bucket) {
          if (micro.worker() == delayed_worker && bucket == delayed_at) std::this_thread::sleep_for(2ms);
        };
        for (std::size_t p = parameters; p-- > 0;) {
          sleep(parameters - 1 - p);
          if (is_touched(micro.step(), micro.global_index(), p)) {
            float const value = static_cast<float>(integer_gradient(micro.step(), micro.global_index(), p));
            auto const gradient = micro.gradient(p);
            gradient[0] = micro.accumulate() ? gradient[0] + value : value;
          }
          micro.ready_parameter(p);
        }
        sleep(parameters);
      };
      for (std::size_t step = 0; step < steps; ++step) sync(pool(std::span<int const>(samples), model));
      sync.wait();
      REQUIRE(found.size() == steps);
      for (std::size_t step = 0; step < steps; ++step) {
        Weights expected(parameters);
        for (std::size_t p = 0; p < parameters; ++p) {
          for (std::size_t u = 0; u < workers * micro_batches; ++u)
            if (is_touched(step, u, p)) expected[p] += static_cast<float>(integer_gradient(step, u, p));
        }
        CAPTURE(delayed_at);
        CHECK(found[step] == expected);
      }
    }
  }
}

TEST_CASE("what a worker left in a bucket in the last step is not added again") {
  // Step 0 touches the parameter in every micro-batch, step 1 in none but the second.
  weir::HostExecutor const executor;
  Weights weights(1);
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({4})}};
  std::vector<Weights> found;
  auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{weir::SumScale{}} | Collect<float>{found})
                  .on(pool, weir::view(weights));
  auto const model = [](auto& micro) {
    if (micro.step() == 1 && micro.index() == 0) return;
    auto const gradient = micro.gradient(0);
    gradient[0] = (micro.accumulate() ? gradient[0] : 0.0f) + 5.0f;
  };
  int const samples[4] = {};
  for (int step = 0; step < 2; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(found == std::vector<Weights>{{20.0f}, {10.0f}});
}

TEST_CASE("micro-batch u takes entries u * b to (u + 1) * b of the batch, cut at its end") {
  constexpr std::size_t workers = 3, micro_batches = 2, local_batch = 4;
  weir::HostExecutor const executor;
  Weights weights(1);
  weir::StreamWorkerPool pool{
      executor, {.workers = workers, .buckets = weir::BucketPlan::by_bytes({4}), .local_batch = local_batch}};
  std::array<std::vector<int>, workers * micro_batches> seen;
  auto const model = [&](auto& micro) {
    CHECK(micro.global_index() == micro.worker() * micro_batches + micro.index());
    seen[micro.global_index()].assign(micro.samples().begin(), micro.samples().end());
    micro.gradient(0)[0] = 1.0f;
  };
  auto sync = (weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | weir::Sgd{{}})
                  .on(pool, weir::view(weights));
  for (std::size_t count : {24u, 23u, 21u, 20u, 9u, 1u}) {
    std::vector<int> data(count);
    std::iota(data.begin(), data.end(), 0);
    for (auto& samples : seen) samples.clear();
    sync(pool(std::span<int const>(data), model));
    sync.wait();
    std::size_t at = 0;
    for (auto const& samples : seen) {
      CHECK(samples.size() == std::min(local_batch, count - at));
      for (int sample : samples) CHECK(sample == static_cast<int>(at++));
    }
    CHECK(at == count);
  }
  CHECK(sync.consumed() == 24 + 23 + 21 + 20 + 9 + 1);
  CHECK(sync.steps() == 6);
}

TEST_CASE("a batch may be a TensorView, which is never looked into") {
  weir::HostExecutor const executor;
  auto const plan = weir::BucketPlan::by_bytes({4});
  std::vector<float> weights(1);
  weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = plan, .local_batch = 4}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.5}}).on(pool, weir::view(weights));
  using Samples = weir::TensorView<int const, weir::DeviceSpace>;
  std::array<int, 10> const place{};
  Samples const batch(place.data(), place.size());
  std::array<std::array<std::size_t, 2>, 3> pieces{};
  auto const model = [&](auto& micro) {
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(micro.samples())>, Samples>);
    auto const begin = static_cast<std::size_t>(micro.samples().data() - place.data());
    pieces[micro.worker()] = {begin, micro.samples().size()};
    micro.gradient(0)[0] = 0.0f;
  };
  sync(pool(batch, model));
  sync.wait();
  CHECK(pieces == std::array<std::array<std::size_t, 2>, 3>{{{0, 4}, {4, 4}, {8, 2}}});
}

TEST_CASE("a batch larger than what all ranks take is refused with both numbers") {
  weir::HostExecutor const executor;
  Weights weights(1);
  weir::StreamWorkerPool pool{executor,
                              {.workers = 3, .buckets = weir::BucketPlan::by_bytes({4}), .local_batch = 4}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{}}).on(pool, weir::view(weights));
  auto const model = [](auto&) {};
  std::vector<int> const data(13);
  CHECK_THROWS_WITH_AS(sync(pool(std::span<int const>(data), model)),
                       "a batch of 13 samples, but all ranks together take 12 per step",
                       weir::ContractViolation);
  sync(pool(std::span<int const>(data).first(12), model));
  CHECK_NOTHROW(sync.wait());
}

TEST_CASE("options that make no pool are refused by name") {
  weir::HostExecutor const executor;
  auto const plan = weir::BucketPlan::by_bytes({4});
  auto const text_of = [&](weir::WorkerOptions const& options) {
    try {
      weir::StreamWorkerPool const pool(executor, options);
    } catch (weir::ContractViolation const& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(text_of({.workers = 0, .buckets = plan}) == "StreamWorkerPool: 0 workers, at least 1 is needed");
  CHECK(text_of({.buckets = plan, .local_batch = 0}) ==
        "StreamWorkerPool: a local batch of 0 samples, at least 1 is needed");
  CHECK(text_of({}) == "StreamWorkerPool: the bucket plan has no bucket");
  CHECK(text_of({.buckets = weir::BucketPlan::by_bytes({8}, 1, 1, weir::ElementType::float64)}) ==
        "StreamWorkerPool: gradients of float64 for weights of float32");
  CHECK(text_of({.buckets = plan}).empty());
}

TEST_CASE("a model may report its buckets from a thread of its own") {
  weir::HostExecutor const executor;
  Weights weights(12);
  weir::StreamWorkerPool pool{executor,
                              {.workers = 3, .buckets = weir::BucketPlan::by_bytes({12, 16, 20}, 1, 1)}};
  auto const model = [](auto& micro) {
    std::thread engine([&micro] {
      for (std::size_t bucket = 0; bucket < 3; ++bucket) {
        for (float& g : micro.bucket_gradient(bucket)) g = 1.0f;
        micro.ready(bucket);
      }
    });
    engine.join();
  };
  int const samples[3] = {};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}}).on(pool, weir::view(weights));
  for (int step = 0; step < 20; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  CHECK(weights == Weights(12, -20.0f));
}

TEST_CASE("any number of workers, and more buckets than a stream has slots") {
  for (std::size_t workers : {1u, 2u, 17u, 64u}) {
    weir::HostExecutor const executor;
    std::vector<std::size_t> const sizes(200, 4);
    Weights weights(sizes.size());
    weir::StreamWorkerPool pool{executor,
                                {.workers = workers, .buckets = weir::BucketPlan::by_bytes(sizes, 1, 1)}};
    auto const model = [](auto& micro) {
      for (std::size_t p = 0; p < 200; ++p) {
        micro.gradient(p)[0] = static_cast<float>(p);
        micro.ready_parameter(p);  // in the worst order: nothing is due before the last
      }
    };
    std::vector<int> const samples(workers);
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}}).on(pool, weir::view(weights));
    for (int step = 0; step < 3; ++step) sync(pool(std::span<int const>(samples), model));
    sync.wait();
    for (std::size_t p = 0; p < sizes.size(); ++p) CHECK(weights[p] == -3.0f * static_cast<float>(p));
  }
}

TEST_CASE("two pools at the same time do not touch each other") {
  auto const data = network::samples(12);
  auto const alone = [&] {
    auto const model = network::model();
    auto weights = network::initial_weights();
    weir::HostExecutor const executor;
    weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = network::plan(), .local_batch = 4}};
    auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}}).on(pool, weir::view(weights));
    for (int step = 0; step < 10; ++step) sync(pool(network::Batch(data), model));
    sync.wait();
    return weights;
  };
  auto const expected = alone();

  auto const model = network::model();
  weir::HostExecutor const executor;  // shared
  weir::StreamWorkerPool one{executor, {.workers = 3, .buckets = network::plan(), .local_batch = 4}};
  weir::StreamWorkerPool two{executor, {.workers = 3, .buckets = network::plan(), .local_batch = 4}};
  auto weights_one = network::initial_weights();
  auto weights_two = network::initial_weights();
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}};
  auto sync_one = recipe.on(one, weir::view(weights_one));
  auto sync_two = recipe.on(two, weir::view(weights_two));
  for (int step = 0; step < 10; ++step) {
    sync_one(one(network::Batch(data), model));
    sync_two(two(network::Batch(data), model));
  }
  sync_one.wait();
  sync_two.wait();
  CHECK(same_bits(weights_one, expected));
  CHECK(same_bits(weights_two, expected));
}

TEST_CASE("everything may be destroyed while steps are in flight") {
  auto const data = network::samples(24);
  for (int round = 0; round < 100; ++round) {
    weir::HostExecutor const executor;
    auto weights = network::initial_weights();
    auto const model = network::model();
    weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = network::plan(), .local_batch = 4}};
    auto sync = (weir::GradAccumulator{2} | weir::LocalAggregator{} |
                 weir::Sgd{{.learning_rate = 0.1, .momentum = 0.9}})
                    .on(pool, weir::view(weights));
    for (int step = 0; step < round % 4; ++step) sync(pool(network::Batch(data), model));
  }
}

TEST_CASE("the loss is the mean over all samples of all micro-batches since the last call") {
  weir::HostExecutor const executor;
  Weights weights(1);
  weir::StreamWorkerPool pool{executor,
                              {.workers = 2, .buckets = weir::BucketPlan::by_bytes({4}), .local_batch = 2}};
  auto sync =
      (weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::Sgd{{}}).on(pool, weir::view(weights));
  auto const model = [](auto& micro) { micro.loss(static_cast<double>(micro.global_index() + 1)); };
  int const samples[7] = {};  // 2, 2, 2 and 1
  for (int step = 0; step < 2; ++step) sync(pool(std::span<int const>(samples), model));
  sync.wait();
  weir::LossSum const loss = pool.take_loss();
  CHECK(loss.sum == 2 * (2.0 * 1 + 2.0 * 2 + 2.0 * 3 + 1.0 * 4));
  CHECK(loss.samples == 14);
  CHECK(loss.mean() == doctest::Approx(16.0 / 7.0));
  CHECK(pool.take_loss().samples == 0);
}

TEST_CASE("a step starts after what the caller had enqueued, and the caller's stream goes on after it") {
  weir::HostExecutor const executor;
  Weights weights(1);
  weir::StreamWorkerPool pool{executor, {.workers = 2, .buckets = weir::BucketPlan::by_bytes({4})}};
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1.0}}).on(pool, weir::view(weights));
  std::vector<float> data(2);
  auto const model = [](auto& micro) { micro.gradient(0)[0] = micro.samples()[0]; };
  std::vector<float> seen;
  for (int step = 0; step < 10; ++step) {
    executor.submit([&, step] {
      std::this_thread::sleep_for(200us);
      data.assign(2, static_cast<float>(step));
    });
    sync(pool(std::span<float const>(data), model));
    executor.submit([&] { seen.push_back(weights[0]); });
  }
  executor.synchronize();
  float expected = 0.0f;
  for (int step = 0; step < 10; ++step) {
    expected -= static_cast<float>(step);
    CHECK(seen[static_cast<std::size_t>(step)] == expected);
  }
}

TEST_CASE("workspace_bytes is what the pool takes from the executor") {
  struct Counting : std::pmr::memory_resource {
    std::size_t bytes = 0;
    void* do_allocate(std::size_t size, std::size_t alignment) override {
      bytes += size;
      return std::pmr::new_delete_resource()->allocate(size, alignment);
    }
    void do_deallocate(void* memory, std::size_t size, std::size_t alignment) override {
      bytes -= size;
      std::pmr::new_delete_resource()->deallocate(memory, size, alignment);
    }
    bool do_is_equal(std::pmr::memory_resource const& other) const noexcept override {
      return this == &other;
    }
  } memory;
  {
    weir::HostExecutor const executor{{.memory = &memory}};
    weir::WorkerOptions const options{.workers = 5, .buckets = network::plan()};
    weir::StreamWorkerPool const pool{executor, options};
    CHECK(memory.bytes == pool.workspace_bytes(options));
    CHECK(memory.bytes >= 5 * network::total * sizeof(float));
  }
  CHECK(memory.bytes == 0);
}

TEST_CASE("branches run on the workers' streams, after what came before and before what comes afterwards") {
  weir::HostExecutor const executor;
  for (std::size_t workers : {1u, 2u, 3u, 8u}) {
    weir::StreamWorkerPool pool{executor, {.workers = workers, .buckets = weir::BucketPlan::by_bytes({4})}};
    constexpr std::size_t branches = 5;
    std::array<void const*, branches> streams{};
    std::array<int, branches> results{};
    int input = 0, sum = 0;
    for (int round = 1; round <= 20; ++round) {
      executor.submit([&, round] {
        std::this_thread::sleep_for(100us);
        input = round;
      });
      pool.run_branches(branches, [&](weir::HostExecutor const& stream, std::size_t i) {
        streams[i] = stream.stream();
        stream.submit([&, i] {
          std::this_thread::sleep_for(std::chrono::microseconds(50 * (i % 3)));
          results[i] = input * static_cast<int>(i + 1);
        });
      });
      executor.submit([&] {
        for (int const result : results) sum += result;
      });
    }
    executor.synchronize();
    CHECK(sum == 15 * 210);
    for (std::size_t i = 0; i < branches; ++i) {
      CHECK(streams[i] != executor.stream());
      for (std::size_t j = 0; j < i; ++j) CHECK((streams[i] == streams[j]) == (i % workers == j % workers));
    }
  }
}

TEST_CASE("a branch that throws ends the call, and those before it are waited for") {
  weir::HostExecutor const executor;
  weir::StreamWorkerPool pool{executor, {.workers = 3, .buckets = weir::BucketPlan::by_bytes({4})}};
  std::atomic<int> ended = 0;
  auto const branch = [&](weir::HostExecutor const& stream, std::size_t i) {
    if (i == 2) throw weir::ContractViolation("branch 2");
    stream.submit([&] {
      std::this_thread::sleep_for(1ms);
      ++ended;
    });
  };
  CHECK_THROWS_WITH_AS(pool.run_branches(5, branch), "branch 2", weir::ContractViolation);
  executor.synchronize();
  CHECK(ended == 2);
  pool.run_branches(2, branch);
  pool.run_branches(0, branch);
  executor.synchronize();
  CHECK(ended == 4);
}
