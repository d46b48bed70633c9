// Recipes on CudaExecutor whose ranks are joined by NCCL, or by host memory: on the stand-ins, with the bits
// of the host.
#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "support/bits.hpp"
#include "support/cuda/training.hpp"
#include "support/nccl/machine.hpp"
#include "support/nccl/ranks.hpp"
#include "support/uneven_ranks.hpp"
#include "weir/comm/threads.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/staged_communicator.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/gradient/non_finite.hpp"
#include "weir/gradient/sharded_update.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

using namespace std::chrono_literals;
using nccl_ranks::Machine;
using weir::CudaExecutor;
using weir::NcclCommunicator;
using weir::ThreadCommunicator;

namespace {

constexpr int steps = 3;

/// What all ranks do in a step, in which the last micro-batches lack `missing` samples.
struct Work {
  std::vector<weir::WorkLayout> ranks;
  std::size_t missing = 0;
  bool is_partial = false;

  std::vector<float> batch() const {
    std::size_t count = 0;
    for (auto const& [workers, m, local_batch] : ranks) count += workers * m * local_batch;
    return stand_in::samples_of(count - missing);
  }
};

Work even_work(std::size_t ranks, std::size_t m = 1) {
  return {.ranks = std::vector<weir::WorkLayout>(ranks, {2, m, 2})};
}

Work uneven_work(std::size_t local_batch, std::size_t missing) {
  Work work{.ranks = {}, .missing = missing};
  for (auto const& [workers, m] : uneven_ranks::layouts) work.ranks.push_back({workers, m, local_batch});
  return work;
}

weir::BucketPlan plan() {
  return weir::BucketPlan::by_bytes({{.elements = 40, .type = weir::ElementType::float32},
                                     {.elements = 3, .type = weir::ElementType::float32},
                                     {.elements = 301, .type = weir::ElementType::float32}},
                                    64, 512);
}

stand_in::EnqueuingModel<> model_of(Work const& work) {
  return {.parameters = plan().parameters(), .is_partial = work.is_partial};
}

/// Of one rank.
template <class E, class Communicator, class RecipeOf>
auto make_trainer(E const& executor, Communicator const& communicator, RecipeOf const& recipe_of,
                  Work const& work) {
  auto const [workers, m, local_batch] = work.ranks[communicator.rank()];
  auto const recipe = recipe_of(communicator, m);
  return stand_in::Trainer<E, std::remove_const_t<decltype(recipe)>>(
      executor, weir::WorkerOptions{.workers = workers, .buckets = plan(), .local_batch = local_batch},
      recipe);
}

template <class E, class Communicator, class RecipeOf>
std::vector<float> train(E const& executor, Communicator const& communicator, RecipeOf const& recipe_of,
                         Work const& work) {
  auto trainer = make_trainer(executor, communicator, recipe_of, work);
  auto const model = model_of(work);
  auto const samples = work.batch();
  for (int step = 0; step < steps; ++step) trainer.step(samples, model);
  return trainer.weights();
}

template <class RecipeOf>
std::vector<float> expected(RecipeOf const& recipe_of, Work const& work) {
  std::vector<float> result;
  on_all_thread_ranks(work.ranks.size(),
                      [&](ThreadCommunicator const& communicator, weir::HostExecutor const& executor) {
                        auto const weights = train(executor, communicator, recipe_of, work);
                        if (communicator.rank() == 0) result = weights;
                      });
  return result;
}

auto sum(std::size_t m) {
  return weir::GradAccumulator{m} | weir::LocalAggregator{};
}
weir::Sgd const sgd{{.learning_rate = 0.125, .momentum = 0.5, .weight_decay = 0.01}};
weir::AdamW const adamw{{.learning_rate = 0.01}};

auto const with_sgd = [](auto const& communicator, std::size_t m) {
  return sum(m) | weir::AllReduce{communicator} | sgd;
};
auto const with_clip = [](auto const& communicator, std::size_t m) {
  return sum(m) | weir::AllReduce{communicator} | weir::Clip{{.max_norm = 0.5}} | adamw;
};
auto const sharded = [](auto const& communicator, std::size_t m) {
  return sum(m) | weir::ShardedUpdate{communicator, adamw};
};
auto const with_all_stages = [](auto const& communicator, std::size_t m) {
  return sum(m) | weir::AllReduce{communicator} | weir::NonFinite{} |
         weir::LossScale{{.initial = 8.0, .interval = 2}} | weir::UsedParameters{communicator} |
         weir::Clip{{.max_norm = 0.5}} | weir::WeightSync{weir::WeightPolicy::overlap, sgd};
};

template <class RecipeOf>
void check_nccl(RecipeOf const& recipe_of, Work const& work, std::uint64_t seeds = 5) {
  std::size_t const ranks = work.ranks.size();
  CAPTURE(ranks);
  CAPTURE(work.missing);
  auto const bits = expected(recipe_of, work);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    CAPTURE(seed);
    Machine machine(ranks, {.in_progress = static_cast<int>(seed % 3)}, seed);
    nccl_ranks::on_ranks(ranks, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
      CHECK(same_bits(train(executor, communicator, recipe_of, work), bits));
    });
  }
}

template <class RecipeOf>
void check_staged(RecipeOf const& recipe_of, Work const& work, bool has_launch_thread) {
  CAPTURE(has_launch_thread);
  CAPTURE(work.missing);
  auto const bits = expected(recipe_of, work);
  std::size_t const ranks = work.ranks.size();
  Machine machine(ranks);
  auto const group = ThreadCommunicator::group(ranks);
  auto const failures = on_rank_threads(ranks, [&](std::size_t rank) {
    cudaSetDevice(static_cast<int>(rank));
    weir::CudaOptions options;
    options.launch_thread = has_launch_thread;
    weir::StagedCommunicator const communicator(group[rank], {4096});
    CHECK(same_bits(train(CudaExecutor(options), communicator, recipe_of, work), bits));
  });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

/// A captured step, replayed, gives the bits of steps that were enqueued one by one.
template <class RecipeOf>
void check_captured(RecipeOf const& recipe_of, Work const& work) {
  auto const bits = expected(recipe_of, work);
  std::size_t const ranks = work.ranks.size();
  Machine machine(ranks);
  nccl_ranks::on_ranks(ranks, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto trainer = make_trainer(executor, communicator, recipe_of, work);
    auto const model = model_of(work);
    auto const samples = work.batch();
    trainer.step(samples, model);
    auto const graph = weir::CudaGraph::capture(executor, [&] { trainer.step(samples, model); });
    for (int step = 1; step < steps; ++step) graph.replay();
    trainer.sync().replayed(steps - 1);
    CHECK(same_bits(trainer.weights(), bits));
  });
}

/// What steps 3 to 10 of two ranks take and call. The counts are those of both.
template <class RecipeOf>
void check_steady(RecipeOf const& recipe_of, Work const& work) {
  Machine machine(2);
  std::barrier together(2);
  stand_in::Calls calls;
  stand_in::Inventory held;
  std::size_t heap = 0;
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto trainer = make_trainer(executor, communicator, recipe_of, work);
    auto const model = model_of(work);
    auto const samples = work.batch();
    for (int step = 0; step < 2; ++step) trainer.step(samples, model);
    trainer.sync().wait();
    bool const counts = communicator.rank() == 0;
    together.arrive_and_wait();
    if (counts) {
      calls = machine.cuda.calls();
      held = machine.cuda.inventory();
      heap = stand_in::heap_allocations();
    }
    together.arrive_and_wait();
    for (int step = 2; step < 10; ++step) trainer.step(samples, model);
    together.arrive_and_wait();
    if (counts) {
      CHECK(stand_in::heap_allocations() - heap == 0);
      calls = stand_in::calls_between(calls, machine.cuda.calls());
      CHECK(machine.cuda.inventory() == held);
    }
    together.arrive_and_wait();
    trainer.sync().wait();
  });
  for (char const* const allowed :
       {"cudaLaunchKernel", "cudaEventRecord", "cudaEventQuery", "cudaStreamWaitEvent", "cudaGetDevice",
        "cudaSetDevice", "cudaStreamIsCapturing"}) {  // NCCL makes its device current
    calls.erase(allowed);
  }
  for (auto const& [function, count] : calls) FAIL_CHECK(function << " is called " << count << " times");
  CHECK(machine.cuda.default_stream_operations() == 0);
}

}  // namespace

TEST_CASE("ranks over NCCL give the bits of ranks on the host") {
  for (std::size_t const ranks : {1u, 2u, 3u}) {
    check_nccl(with_sgd, even_work(ranks));
    check_nccl(with_clip, even_work(ranks));
  }
}

TEST_CASE("so does an update that is divided over the ranks") {
  for (std::size_t const ranks : {1u, 2u, 3u}) check_nccl(sharded, even_work(ranks));
}

TEST_CASE("so do ranks with more and less work, in batches that are full or ragged") {
  for (std::size_t const local_batch : {1u, 3u, 8u}) {
    for (std::size_t const missing : {std::size_t{0}, std::size_t{1}, 5 * local_batch + 1}) {
      Work const work = uneven_work(local_batch, missing);
      check_nccl(with_sgd, work, 1);
      check_nccl(sharded, work, 1);
      check_staged(with_clip, work, false);
    }
  }
}

TEST_CASE("so do parameters that one rank has used, or none") {
  Work work = even_work(2, 2);
  work.is_partial = true;
  check_nccl(with_all_stages, work);
  check_staged(with_all_stages, work, false);
  work = uneven_work(3, 4);
  work.is_partial = true;
  check_nccl(with_all_stages, work, 2);
  check_staged(with_all_stages, work, true);
}

TEST_CASE("so do ranks over host memory, where device data is staged") {
  for (bool const has_launch_thread : {false, true}) check_staged(with_sgd, even_work(2), has_launch_thread);
}

TEST_CASE("a captured step over NCCL gives the bits of eager ones") {
  Work work = even_work(2, 2);
  check_captured(with_sgd, work);
  check_captured(with_clip, uneven_work(3, 4));
  check_captured(sharded, work);
  work.is_partial = true;
  check_captured(with_all_stages, work);
}

TEST_CASE("over NCCL steps 3 to 10 allocate nothing, wait for nothing and make nothing") {
  for (std::size_t const m : {1u, 3u}) {
    Work work = even_work(2, m);
    check_steady(with_clip, work);
    check_steady(sharded, work);
    work.is_partial = true;
    check_steady(with_all_stages, work);
  }
}

TEST_CASE("one collective for each bucket and step, in bucket order, none before the last micro-batch") {
  constexpr std::size_t m = 3;
  Work const work = even_work(2, m);
  Machine machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto const reduced = [&] {
      std::vector<std::size_t> elements;
      for (auto const& call : machine.nccl.calls()) {
        bool const is_mine = call.rank == static_cast<int>(communicator.rank());
        if (is_mine && call.name == "ncclAllReduce" && call.type == ncclFloat32)
          elements.push_back(call.count);
      }
      return elements;
    };
    std::vector<std::size_t> of_step;
    for (std::size_t bucket = 0; bucket < plan().size(); ++bucket) of_step.push_back(plan()[bucket].size);
    auto trainer = make_trainer(executor, communicator, with_sgd, work);
    auto const enqueue = model_of(work);
    std::vector<std::size_t> all;
    auto const model = [&](auto& micro) {
      CHECK(reduced() == all);  // models are called one after the other
      enqueue(micro);
      bool const is_last = micro.worker() == 1 && micro.index() == m - 1;
      if (is_last) all.insert(all.end(), of_step.begin(), of_step.end());
    };
    for (int step = 0; step < steps; ++step) {
      trainer.step(work.batch(), model);
      CHECK(reduced() == all);
    }
    CHECK(all.size() == steps * of_step.size());
    trainer.sync().wait();
  });
}

TEST_CASE("a rank that stops is an error of wait on the others, within the deadline") {
  Work const work = even_work(2);
  Machine machine(2);
  std::atomic<bool> is_over = false;
  auto const failures = nccl_ranks::failures_of_ranks(
      2, {2s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        auto trainer = make_trainer(executor, communicator, with_sgd, work);
        auto const model = model_of(work);
        auto const samples = work.batch();
        trainer.step(samples, model);
        trainer.sync().wait();
        if (communicator.rank() == 1) {
          while (!is_over) std::this_thread::sleep_for(1ms);
          return;
        }
        auto const begin = std::chrono::steady_clock::now();
        trainer.step(samples, model);
        CHECK_THROWS_AS(trainer.sync().wait(), weir::PeerTimeout);
        CHECK(std::chrono::steady_clock::now() - begin < 20s);
        is_over = true;
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE(
    "a rank that is missing at a resize is an error on the others, within the deadline, and stays one") {
  Work const work = even_work(2);
  Machine machine(2);
  std::atomic<bool> is_over = false;
  auto const failures = nccl_ranks::failures_of_ranks(
      2, {2s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        auto trainer = make_trainer(executor, communicator, with_sgd, work);
        trainer.sync().settle();
        if (communicator.rank() == 1) {
          while (!is_over) std::this_thread::sleep_for(1ms);
          return;
        }
        auto const begin = std::chrono::steady_clock::now();
        trainer.sync().resize({1, 2, 2});
        for (int round = 0; round < 2; ++round) {
          CHECK_THROWS_AS(trainer.sync().settle(), weir::PeerTimeout);
          CHECK_THROWS_AS(trainer.step(work.batch(), model_of(work)), weir::PeerTimeout);
        }
        CHECK(std::chrono::steady_clock::now() - begin < 20s);
        is_over = true;
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE("a model that throws releases the other ranks") {
  Work const work = even_work(2);
  Machine machine(2, {.tells_others = true});
  std::atomic<int> ready = 0;  // else the first step of the other rank would fail, too
  auto const failures = nccl_ranks::failures_of_ranks(
      2, {20s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        auto trainer = make_trainer(executor, communicator, with_sgd, work);
        auto const model = model_of(work);
        auto const samples = work.batch();
        trainer.step(samples, model);
        trainer.sync().wait();
        ++ready;
        while (ready != 2) std::this_thread::yield();
        std::size_t const rank = communicator.rank();
        trainer.step(samples, [&](auto& micro) {
          if (rank == 1) throw std::runtime_error("the model");
          model(micro);
        });
        if (rank == 1) {
          CHECK_THROWS_AS(trainer.sync().wait(), weir::WorkerError);
        } else {
          CHECK_THROWS_AS(trainer.sync().wait(), weir::PeerAborted);
        }
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}
