// Recipes whose ranks are joined by the real NCCL, with as many ranks as there are devices. One rank is a
// valid case: it goes through the same calls.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <thread>
#include <vector>

#include "comm/thread_ranks.hpp"
#include "support/bits.hpp"
#include "support/cuda/seeded_model.cuh"
#include "support/nccl/ranks.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/sharded_update.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"

namespace {

using weir::CudaExecutor;
using weir::NcclCommunicator;
using Weights = std::vector<float>;

std::size_t ranks() {
  int devices = 0;
  cudaGetDeviceCount(&devices);
  return static_cast<std::size_t>(devices);
}

auto const all_reduced = [](auto const& communicator) {
  return weir::GradAccumulator{2} | weir::LocalAggregator{} | weir::AllReduce{communicator} |
         weir::Sgd{{.learning_rate = 0.125, .momentum = 0.5}};
};
auto const sharded = [](auto const& communicator) {
  return weir::GradAccumulator{2} | weir::LocalAggregator{} |
         weir::ShardedUpdate{communicator, weir::AdamW{{.learning_rate = 0.01}}};
};

seeded::Training training(std::size_t steps) {
  return {.workers = 2, .micro_batches = 2, .of_others = 4 * (ranks() - 1), .steps = steps};
}

template <class RecipeOf>
Weights on_host(RecipeOf const& recipe_of, std::size_t steps) {
  Weights result;
  on_all_thread_ranks(ranks(), [&](auto const& communicator, weir::HostExecutor const& executor) {
    auto const weights = seeded::train(executor, recipe_of(communicator), training(steps));
    if (communicator.rank() == 0) result = weights;
  });
  return result;
}

/// NCCL adds the gradients of more than two ranks in an order of its own.
bool agree(Weights const& found, Weights const& expected) {
  if (ranks() <= 2) return same_bits(found, expected);
  return std::equal(found.begin(), found.end(), expected.begin(), expected.end(),
                    [](float a, float b) { return std::abs(a - b) <= 1e-5f * std::max(1.0f, std::abs(b)); });
}

template <class RecipeOf>
void check(RecipeOf const& recipe_of, std::size_t steps) {
  Weights const expected = on_host(recipe_of, steps);
  nccl_ranks::on_ranks(ranks(), [&](NcclCommunicator const& communicator, CudaExecutor const& executor) {
    auto const recipe = recipe_of(communicator);
    auto const eager = seeded::train(executor, recipe, training(steps));
    CHECK(agree(eager, expected));
    auto captured = training(steps);
    captured.captured = true;
    CHECK(same_bits(seeded::train(executor, recipe, captured), eager));
  });
}

}  // namespace

TEST_CASE(
    "real NCCL: ranks train with the weights of the host, and captured steps with the bits of eager ones") {
  check(all_reduced, 101);
}

TEST_CASE("real NCCL: so do updates that are divided over the ranks") {
  check(sharded, 5);
}

TEST_CASE("real NCCL: a rank that stops ends the training of the others within the deadline" *
          doctest::skip(ranks() < 2)) {
  nccl_ranks::failures_of_ranks(ranks(), {std::chrono::seconds(2)},
                                [](NcclCommunicator const& communicator, CudaExecutor const& executor) {
                                  auto const recipe = all_reduced(communicator);
                                  seeded::train(executor, recipe, training(2));
                                  if (communicator.rank() == 1)
                                    return std::this_thread::sleep_for(std::chrono::seconds(6));
                                  CHECK_THROWS_AS(seeded::train(executor, recipe, training(2)),
                                                  weir::PeerTimeout);
                                });
}
