// Recipes on CudaExecutor whose ranks are joined by NCCL, or by host memory: on the stand-ins, with the bits
// of the host.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "support/bits.hpp"
#include "support/cuda/training.hpp"
#include "support/nccl/machine.hpp"
#include "support/nccl/ranks.hpp"
#include "weir/comm/threads.hpp"
#include "weir/cuda/graph.hpp"
#include "weir/cuda/staged_communicator.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/sharded_update.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"

using namespace std::chrono_literals;
using nccl_ranks::Machine;
using weir::CudaExecutor;
using weir::NcclCommunicator;
using weir::ThreadCommunicator;

namespace {

constexpr std::size_t workers = 2;
constexpr int steps = 3;

weir::BucketPlan plan() {
  return weir::BucketPlan::by_bytes({{.elements = 40, .type = weir::ElementType::float32},
                                     {.elements = 3, .type = weir::ElementType::float32},
                                     {.elements = 301, .type = weir::ElementType::float32}},
                                    64, 512);
}

template <class E, class Recipe>
auto make_trainer(E const& executor, Recipe const& recipe) {
  return stand_in::Trainer<E, Recipe>(
      executor, weir::WorkerOptions{.workers = workers, .buckets = plan(), .local_batch = 2}, recipe);
}

/// All ranks together consume the batch.
std::vector<float> batch(std::size_t ranks) {
  return stand_in::samples_of(2 * workers * ranks);
}

template <class E, class Recipe>
std::vector<float> train(E const& executor, Recipe const& recipe, std::size_t ranks) {
  auto trainer = make_trainer(executor, recipe);
  stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
  auto const samples = batch(ranks);
  for (int step = 0; step < steps; ++step) trainer.step(samples, model);
  return trainer.weights();
}

template <class RecipeOf>
std::vector<float> expected(std::size_t ranks, RecipeOf const& recipe_of) {
  std::vector<float> result;
  on_all_thread_ranks(ranks, [&](ThreadCommunicator const& communicator, weir::HostExecutor const& executor) {
    auto const weights = train(executor, recipe_of(communicator), ranks);
    if (communicator.rank() == 0) result = weights;
  });
  return result;
}

auto const with_sgd = [](auto const& communicator) {
  return weir::LocalAggregator{} | weir::AllReduce{communicator} |
         weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}};
};
auto const with_clip = [](auto const& communicator) {
  return weir::LocalAggregator{} | weir::AllReduce{communicator} | weir::Clip{{.max_norm = 0.5}} |
         weir::AdamW{{.learning_rate = 0.01}};
};
auto const sharded = [](auto const& communicator) {
  return weir::LocalAggregator{} | weir::ShardedUpdate{communicator, weir::AdamW{{.learning_rate = 0.01}}};
};

template <class RecipeOf>
void check_nccl(RecipeOf const& recipe_of) {
  for (std::size_t const ranks : {1u, 2u, 3u}) {
    CAPTURE(ranks);
    auto const bits = expected(ranks, recipe_of);
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(seed);
      Machine machine(ranks, {.in_progress = static_cast<int>(seed % 3)}, seed);
      nccl_ranks::on_ranks(ranks, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        CHECK(same_bits(train(executor, recipe_of(communicator), ranks), bits));
      });
    }
  }
}

}  // namespace

TEST_CASE("ranks over NCCL give the bits of ranks on the host") {
  check_nccl(with_sgd);
  check_nccl(with_clip);
}

TEST_CASE("so does an update that is divided over the ranks") {
  check_nccl(sharded);
}

TEST_CASE("so do ranks over host memory, where device data is staged") {
  auto const bits = expected(2, with_sgd);
  for (bool const has_launch_thread : {false, true}) {
    CAPTURE(has_launch_thread);
    Machine machine(2);
    auto const ranks = ThreadCommunicator::group(2);
    auto const failures = on_rank_threads(2, [&](std::size_t rank) {
      cudaSetDevice(static_cast<int>(rank));
      weir::CudaOptions options;
      options.launch_thread = has_launch_thread;
      weir::StagedCommunicator const communicator(ranks[rank], {4096});
      CHECK(same_bits(train(CudaExecutor(options), with_sgd(communicator), 2), bits));
    });
    for (auto const& failure : failures) CHECK(text_of(failure).empty());
  }
}

TEST_CASE("a captured step over NCCL gives the bits of eager ones") {
  auto const bits = expected(2, with_sgd);
  Machine machine(2);
  nccl_ranks::on_ranks(2, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto trainer = make_trainer(executor, with_sgd(communicator));
    stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
    auto const samples = batch(2);
    trainer.step(samples, model);
    auto const graph = weir::CudaGraph::capture(executor, [&] { trainer.step(samples, model); });
    for (int step = 1; step < steps; ++step) graph.replay();
    trainer.sync().replayed(steps - 1);
    CHECK(same_bits(trainer.weights(), bits));
  });
}

TEST_CASE("a rank that stops is an error of wait on the others, within the deadline") {
  Machine machine(2);
  std::atomic<bool> is_over = false;
  auto const failures = nccl_ranks::failures_of_ranks(
      2, {300ms}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        auto trainer = make_trainer(executor, with_sgd(communicator));
        stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
        auto const samples = batch(2);
        trainer.step(samples, model);
        trainer.sync().wait();
        if (communicator.rank() == 1) {
          while (!is_over) std::this_thread::sleep_for(1ms);
          return;
        }
        auto const begin = std::chrono::steady_clock::now();
        trainer.step(samples, model);
        CHECK_THROWS_AS(trainer.sync().wait(), weir::PeerTimeout);
        CHECK(std::chrono::steady_clock::now() - begin < 5s);
        is_over = true;
      });
  for (auto const& failure : failures) CHECK(text_of(failure).empty());
}

TEST_CASE("a model that throws releases the other ranks") {
  Machine machine(2, {.tells_others = true});
  std::atomic<int> ready = 0;  // else the first step of the other rank would fail, too
  auto const failures = nccl_ranks::failures_of_ranks(
      2, {20s}, [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
        auto trainer = make_trainer(executor, with_sgd(communicator));
        stand_in::EnqueuingModel<> const model{.parameters = plan().parameters()};
        auto const samples = batch(2);
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
