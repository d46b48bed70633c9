// Once a recipe that sparsifies is bound, a step takes no memory, starts no thread, and does not hold up who
// enqueues it.
#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "compress/collective/any_policy.hpp"
#include "counting/counters.hpp"
#include "fault/training.hpp"
#include "weir/comm/self.hpp"
#include "weir/comm/threads.hpp"
#include "weir/compress/adaptive_stages.hpp"
#include "weir/compress/collective/automatic.hpp"
#include "weir/compress/ef21.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/local_clip.hpp"
#include "weir/compress/local_clip_by_value.hpp"
#include "weir/compress/momentum_correction.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"

namespace {

/// Steps 3 to 10 of `recipe(rank)` on so many ranks.
template <class MakeRecipe>
void check(MakeRecipe const& recipe, std::size_t ranks) {
  CAPTURE(ranks);
  auto const plan = weir::BucketPlan::by_bytes({40, 12, 4000, 68}, 64, 512);
  TestModel<> const model{plan.parameters()};
  Ranks<MakeRecipe> all(ranks, {.workers = 3, .buckets = plan, .local_batch = 2}, recipe);
  std::vector<float> const samples = small_integers(ranks * 3 * 2 * 2);
  for (int i = 0; i < 2; ++i) all.step(samples, model);
  all.wait();
  std::size_t const allocations = counters::allocations;
  std::size_t const threads = counters::threads_started;
  std::size_t blocking_calls = 0;
  for (int i = 2; i < 10; ++i) {
    std::size_t const before = counters::blocking_calls;
    all.step(samples, model);
    blocking_calls += counters::blocking_calls - before;
  }
  all.wait();
  CHECK(counters::allocations == allocations);
  CHECK(counters::threads_started == threads);
  CHECK(blocking_calls == 0);
}

template <class Stages>
void check_stages(Stages const& stages) {
  check(
      [&](std::size_t) {
        return weir::GradAccumulator{2} | weir::LocalAggregator{} | stages |
               weir::Sgd{{.learning_rate = 0.125}};
      },
      1);
}

}

TEST_CASE("steps 3 to 10 of a sparsified gradient allocate nothing, start no thread and block nobody") {
  weir::ThresholdSparsifier const histogram{
      {.density = 0.1, .warmup = {.epochs = 3, .steps_per_epoch = 2}, .dense_below = 4}};
  weir::ThresholdSparsifier const fitted{
      {.density = 0.1}, weir::GeneralizedPareto{}, weir::AdaptiveStages<>{}};
  check_stages(histogram);
  check_stages(weir::LocalClip{weir::SelfCommunicator{}, {.max_norm = 1.0}} | weir::ErrorFeedback{fitted});
  check_stages(weir::LocalClipByValue{weir::SelfCommunicator{}, {.max_value = 1.0}} |
               weir::ErrorFeedback{fitted});
  check_stages(weir::MomentumCorrection{histogram});
  check_stages(weir::EF21{histogram});
}

TEST_CASE("no policy of a sparse all-reduce allocates when more is selected from step to step") {
  using Policy = AnyPolicy<float, weir::ThreadCommunicator>;
  weir::ErrorFeedback const feedback{weir::ThresholdSparsifier{
      {.density = 0.3,
       .warmup = {.steps_per_epoch = 1, .densities = {0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25}}}}};
  std::pair<std::string, Policy> const policies[] = {
      {"all-gather", weir::AllGatherPairs{}}, {"recursive doubling", weir::RecursiveDoubling{}},
      {"split", weir::SplitAllGather{}},      {"global top-k", weir::GlobalTopK{}},
      {"balanced", weir::BalancedTopK{}},     {"leader's indices", weir::LeaderIndices{}},
      {"automatic", weir::Automatic{}}};
  for (auto const& named : policies) {
    CAPTURE(named.first);
    Policy const& policy = named.second;
    auto group = weir::ThreadCommunicator::group(3);
    check(
        [&](std::size_t rank) {
          return weir::GradAccumulator{2} | weir::LocalAggregator{} | feedback |
                 weir::AllReduce{group[rank], policy} | weir::Sgd{{.learning_rate = 0.125}};
        },
        3);
  }
}

TEST_CASE("sums over two ranks of what was selected allocate and block as little") {
  weir::ErrorFeedback const feedback{weir::ThresholdSparsifier{{.density = 0.1}}};
  auto group = weir::ThreadCommunicator::group(2);
  check(
      [&](std::size_t rank) {
        return weir::GradAccumulator{2} | weir::LocalAggregator{} | feedback | weir::AllReduce{group[rank]} |
               weir::Sgd{{.learning_rate = 0.125}};
      },
      2);
}
