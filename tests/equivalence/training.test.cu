// The data-parallel primitives on a device: whole trainings have the bits of the host, whoever is late, in
// whatever order buckets are reported, with full and ragged micro-batches, with every policy for the scale
// and for the weights, eager and captured.
#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "support/bits.hpp"
#include "support/bucket_orders.hpp"
#include "support/cuda/seeded_model.cuh"
#include "support/cuda/test_size.hpp"
#include "weir/comm/self.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/used_parameters.hpp"
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

template <class Real = float, class Recipe>
std::vector<Real> on_host(Recipe const& recipe, Training const& training) {
  return seeded::train<Real>(weir::HostExecutor(), recipe, training);
}

template <class Real = float, class Recipe>
std::vector<Real> on_device(Recipe const& recipe, Training const& training) {
  return seeded::train<Real>(weir::CudaExecutor(), recipe, training);
}

template <class Recipe>
void check_both_types(Recipe const& recipe, Training const& training) {
  CHECK(same_bits(on_device(recipe, training), on_host(recipe, training)));
  CHECK(same_bits(on_device<double>(recipe, training), on_host<double>(recipe, training)));
}

}  // namespace

TEST_CASE("1 to 8 workers with 1 to 4 micro-batches give the bits of the host") {
  for (std::size_t workers = 1; workers <= 8; ++workers) {
    for (std::size_t m = 1; m <= 4; ++m) {
      for (std::size_t local_batch : {1u, 3u, 8u}) {
        CAPTURE(workers);
        CAPTURE(m);
        CAPTURE(local_batch);
        check_both_types(recipe(m, WeightPolicy::shared, momentum),
                         {.workers = workers, .micro_batches = m, .local_batch = local_batch});
      }
    }
  }
}

TEST_CASE("so do micro-batches that are ragged or empty") {
  for (std::size_t local_batch : {1u, 3u, 8u}) {
    for (std::size_t missing : {std::size_t{1}, local_batch, 3 * local_batch + 1, 12 * local_batch - 1}) {
      CAPTURE(local_batch);
      CAPTURE(missing);
      Training const ragged{.workers = 4, .micro_batches = 3, .local_batch = local_batch, .missing = missing};
      check_both_types(recipe(3, WeightPolicy::overlap, adamw), ragged);
    }
  }
}

TEST_CASE("so do all policies for the scale, applied before the sum or after it") {
  Training const ragged{.workers = 3, .micro_batches = 2, .local_batch = 3, .missing = 4};
  auto const with = [&](auto const& scale) {
    for (auto const time : {weir::ScaleTime::before_sum, weir::ScaleTime::after_sum}) {
      check_both_types(weir::GradAccumulator{2} | weir::LocalAggregator{scale, time} | momentum, ragged);
    }
  };
  with(weir::MeanOverSamples{});
  with(weir::MeanOverMicroBatches{});
  with(weir::SumScale{});
}

TEST_CASE("equal weights give those bits too, and refuse a ragged micro-batch by its number") {
  auto const equal = weir::GradAccumulator{2, weir::Equal{}} | weir::LocalAggregator{} | momentum;
  Training training{.workers = 3, .micro_batches = 2, .local_batch = 4};
  CHECK(same_bits(on_device(equal, training), on_host(sum(2) | momentum, training)));
  training.missing = 9;
  CHECK_THROWS_WITH_AS(on_device(equal, training),
                       "micro-batch 3 has 3 samples, but the weighting Equal needs local batches of 4",
                       weir::ContractViolation);
}

TEST_CASE("all orders in which 3 workers report 4 buckets give the same bits") {
  REQUIRE(seeded::plan().size() == 4);
  auto const summed = recipe(1, WeightPolicy::shared, momentum);
  Training training{.workers = 3, .steps = case_size(steps_of_all_orders, 50)};
  Weights const expected = on_host(summed, training);
  training.orders = seeded::Orders::all;
  CHECK(same_bits(on_device(summed, training), expected));
}

TEST_CASE("parameters that no worker has used keep their bits, and so does what the others become") {
  auto const with = [](auto const& optimizer) {
    return sum(2) | weir::UsedParameters{weir::SelfCommunicator{}} | optimizer;
  };
  Training partial{.workers = 3, .micro_batches = 2, .steps = 5, .is_partial = true};
  check_both_types(with(momentum), partial);
  for (auto const policy : policies) check_both_types(with(weir::WeightSync{policy, adamw}), partial);
  Weights const often = on_device(with(momentum), partial);
  partial.captured = true;
  CHECK(same_bits(on_device(with(momentum), partial), often));
  Weights const once = on_device(with(momentum), {.workers = 3, .micro_batches = 2, .steps = 1});
  auto const begin = 43, end = 3'043;  // parameter 2, used in the first step only
  CHECK(same_bits(Weights(often.begin() + begin, often.begin() + end),
                  Weights(once.begin() + begin, once.begin() + end)));
}

TEST_CASE("100 runs with random delays and orders of reports give the same bits") {
  std::size_t const runs = case_size(100, 5);
  Training training{.workers = 4, .micro_batches = 2};
  for (auto const policy : {WeightPolicy::shared, WeightPolicy::overlap}) {
    auto const late = recipe(2, policy, adamw);
    training.orders = seeded::Orders::last_to_first;
    Weights const expected = on_host(late, training);
    training.orders = seeded::Orders::by_chance;
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
