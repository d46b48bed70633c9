// The data-parallel primitives on a device: whole trainings have the bits of the host, whoever is late, in
// whatever order buckets are reported, with every policy for the weights, eager and captured.
#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "support/bits.hpp"
#include "support/cuda/seeded_model.cuh"
#include "support/cuda/test_size.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/adamw.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/optim/weight_sync.hpp"

namespace {

using seeded::Training;
using weir::WeightPolicy;
using Weights = std::vector<float>;

constexpr WeightPolicy policies[] = {WeightPolicy::shared, WeightPolicy::sequential, WeightPolicy::overlap};

weir::Sgd const momentum{{.learning_rate = 0.125, .momentum = 0.9, .weight_decay = 1e-3}};
weir::AdamW const adamw{{.learning_rate = 0.02}};

auto sum(std::size_t m) {
  return weir::GradAccumulator{m} | weir::LocalAggregator{};
}

template <class Optimizer>
auto recipe(std::size_t m, WeightPolicy policy, Optimizer const& optimizer) {
  return sum(m) | weir::WeightSync{policy, optimizer};
}

auto clipped(std::size_t m, WeightPolicy policy, bool per_bucket) {
  return sum(m) | weir::Clip{{.max_norm = 0.05, .per_bucket = per_bucket}} |
         weir::WeightSync{policy, momentum};
}

template <class Recipe>
Weights on_host(Recipe const& recipe, Training const& training) {
  return seeded::train(weir::HostExecutor(), recipe, training);
}

template <class Recipe>
Weights on_device(Recipe const& recipe, Training const& training) {
  return seeded::train(weir::CudaExecutor(), recipe, training);
}

}  // namespace

TEST_CASE("1 to 8 workers with 1 to 4 micro-batches give the bits of the host") {
  for (std::size_t workers = 1; workers <= 8; ++workers) {
    for (std::size_t m = 1; m <= 4; ++m) {
      CAPTURE(workers);
      CAPTURE(m);
      Training const training{.workers = workers, .micro_batches = m};
      auto const shared = recipe(m, WeightPolicy::shared, momentum);
      CHECK(same_bits(on_device(shared, training), on_host(shared, training)));
    }
  }
}

TEST_CASE("100 runs with random delays and orders of reports give the same bits") {
  std::size_t const runs = case_size(100, 5);
  Training training{.workers = 4, .micro_batches = 2};
  for (auto const policy : {WeightPolicy::shared, WeightPolicy::overlap}) {
    auto const late = recipe(2, policy, adamw);
    training.seed = 0;
    Weights const expected = on_host(late, training);
    for (std::size_t run = 1; run <= runs; ++run) {
      CAPTURE(run);
      training.seed = static_cast<unsigned>(run);
      CHECK(same_bits(on_device(late, training), expected));
    }
  }
}

TEST_CASE("shared, sequential and overlap give the bits of the host after 50 steps of either optimizer") {
  Training const training{.workers = 3, .micro_batches = 2, .steps = 50};
  Weights const with_momentum = on_host(recipe(2, WeightPolicy::shared, momentum), training);
  Weights const with_adamw = on_host(recipe(2, WeightPolicy::shared, adamw), training);
  for (auto const policy : policies) {
    CHECK(same_bits(on_device(recipe(2, policy, momentum), training), with_momentum));
    CHECK(same_bits(on_device(recipe(2, policy, adamw), training), with_adamw));
  }
}

TEST_CASE("clipping by the global norm is the same in all of them, clipping each bucket is something else") {
  Training const training{.workers = 3, .micro_batches = 2, .steps = 50};
  Weights const unclipped = on_host(recipe(2, WeightPolicy::shared, momentum), training);
  Weights const global = on_host(clipped(2, WeightPolicy::shared, false), training);
  Weights const per_bucket = on_host(clipped(2, WeightPolicy::shared, true), training);
  CHECK(global != unclipped);
  CHECK(per_bucket != global);
  for (auto const policy : policies) {
    CHECK(same_bits(on_device(clipped(2, policy, false), training), global));
    CHECK(same_bits(on_device(clipped(2, policy, true), training), per_bucket));
  }
}

TEST_CASE("a worker that is late loses nothing, takes nothing from others and leaves nothing behind") {
  Training const training{.workers = 4, .micro_batches = 3, .steps = 2, .late_worker = 0};
  for (auto const policy : policies) {
    auto const late = recipe(3, policy, momentum);
    Training const in_time{.workers = 4, .micro_batches = 3, .steps = 2};
    CHECK(same_bits(on_device(late, training), on_host(late, in_time)));
  }
}

TEST_CASE("100 replays of a captured step are 100 steps") {
  for (auto const policy : policies) {
    auto const repeated = recipe(2, policy, adamw);
    Training const eager{.workers = 3, .micro_batches = 2, .steps = 101};
    Training captured = eager;
    captured.captured = true;
    Weights const expected = on_device(repeated, eager);
    CHECK(same_bits(on_device(repeated, captured), expected));
    CHECK(same_bits(on_host(repeated, eager), expected));
  }
}
