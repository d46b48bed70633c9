#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "support/sparse_bucket.hpp"
#include "weir/compress/threshold/exponential.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/compress/threshold/histogram.hpp"

namespace {

using weir::StageConstants;
using weir::StageCount;
using weir::StageRule;
using weir_test::Draws;
using weir_test::SparseBucket;
using weir_test::SparseBucketOptions;

StageConstants adaptive(StageRule rule) {
  return {.count = StageCount::adaptive, .rule = rule};
}

/// Runs a bucket step by step and keeps the quality of each.
struct Run {
  Run(weir::HostExecutor const& executor, std::size_t size, SparseBucketOptions const& options)
      : bucket(executor, size, options) {}

  template <class Policy>
  void step(std::vector<float> const& gradient, Policy const& policy) {
    bucket.step(gradient, policy);
    qualities.push_back(bucket.last().quality);
    has_collapsed = has_collapsed || bucket.state.collapsed != 0;
  }

  double mean_of_last(std::size_t count) const {
    double sum = 0.0;
    for (std::size_t i = qualities.size() - count; i < qualities.size(); ++i) sum += qualities[i];
    return sum / static_cast<double>(count);
  }
  double part_within(double least, double most, std::size_t from) const {
    std::size_t within = 0;
    for (std::size_t i = from; i < qualities.size(); ++i)
      within += least <= qualities[i] && qualities[i] <= most;
    return static_cast<double>(within) / static_cast<double>(qualities.size() - from);
  }

  SparseBucket<float> bucket;
  std::vector<double> qualities;
  bool has_collapsed = false;
};

SparseBucketOptions with(StageConstants const& stages, double density, bool feedback) {
  SparseBucketOptions options{.density = density, .feedback = feedback};
  options.constants.stages = stages;
  return options;
}

}  // namespace

TEST_CASE("heavy tails: rules that can turn round find their number of stages, the greedy one does not") {
  weir::HostExecutor const executor;
  Draws draws(41);
  std::size_t const size = std::size_t{1} << 16;
  Run greedy(executor, size, with(adaptive(StageRule::greedy), 0.001, false));
  Run turning(executor, size, with(adaptive(StageRule::turning), 0.001, false));
  Run progressive(executor, size, with(adaptive(StageRule::progressive), 0.001, false));
  Run memory(executor, size, with(adaptive(StageRule::memory), 0.001, false));
  for (int step = 0; step < 80; ++step) {
    std::vector<float> const gradient = draws.gamma(size, 0.3);
    for (Run* const run : {&greedy, &turning, &progressive, &memory})
      run->step(gradient, weir::Exponential{});
  }
  CHECK(greedy.bucket.state.adaptation.stages == 1);
  CHECK(greedy.mean_of_last(20) > 5.0);
  for (Run const* const run : {&turning, &progressive, &memory}) {
    CHECK(run->mean_of_last(20) > 0.8);
    CHECK(run->mean_of_last(20) < 1.25);
  }
}

TEST_CASE("under feedback adaptive stages keep the quality, and one stage collapses") {
  weir::HostExecutor const executor;
  Draws draws(42);
  std::size_t const size = std::size_t{1} << 15;
  Run histogram(executor, size, with({}, 0.01, true));
  Run turning(executor, size, with(adaptive(StageRule::turning), 0.01, true));
  Run memory(executor, size, with(adaptive(StageRule::memory), 0.01, true));
  Run greedy(executor, size, with(adaptive(StageRule::greedy), 0.01, true));
  Run fixed(executor, size, with({}, 0.01, true));
  for (int step = 0; step < 400; ++step) {
    std::vector<float> const gradient = draws.laplace(size);
    histogram.step(gradient, weir::Histogram{});
    turning.step(gradient, weir::GeneralizedPareto{});
    memory.step(gradient, weir::GeneralizedPareto{});
    greedy.step(gradient, weir::Exponential{});
    if (step < 200) fixed.step(gradient, weir::Exponential{});
  }
  CHECK(histogram.part_within(0.99, 1.01, 0) == 1.0);
  for (Run const* const run : {&turning, &memory, &greedy}) {
    CHECK(run->part_within(0.8, 1.25, 100) >= 0.95);
    CHECK(!run->has_collapsed);
  }
  CHECK(fixed.has_collapsed);
  CHECK(fixed.mean_of_last(20) < 0.2);
}

TEST_CASE("buckets do not influence each other, and another density starts afresh") {
  weir::HostExecutor const executor;
  Draws draws(43);
  Run alone(executor, 4000, with(adaptive(StageRule::memory), 0.01, true));
  Run beside(executor, 4000, with(adaptive(StageRule::memory), 0.01, true));
  Run other(executor, 4000, with(adaptive(StageRule::memory), 0.001, true));
  std::vector<std::vector<float>> gradients;
  for (int step = 0; step < 40; ++step) gradients.push_back(draws.student(4000, 3.0));
  for (auto const& gradient : gradients) alone.step(gradient, weir::GeneralizedPareto{});
  for (auto const& gradient : gradients) {
    beside.step(gradient, weir::GeneralizedPareto{});
    other.step(gradient, weir::GeneralizedPareto{});
  }
  CHECK(alone.qualities == beside.qualities);

  beside.bucket.state.adaptation.stages = 3;
  weir::SetDensity{&beside.bucket.state, 0.05}();
  beside.step(gradients[0], weir::GeneralizedPareto{});
  CHECK(beside.bucket.last().k_target == 200);
  CHECK(beside.bucket.state.adaptation.stages == 1);
  CHECK(beside.bucket.state.adaptation.window_calls == 1);
}

TEST_CASE("a reused threshold follows the quality, and is estimated anew where it is far off") {
  weir::HostExecutor const executor;
  Draws draws(44);
  std::size_t const size = std::size_t{1} << 15;
  SparseBucketOptions options{.density = 0.01, .feedback = true, .capacity = size / 50};
  options.constants.reuse = {.interval = 32, .gain = 0.02};
  Run run(executor, size, options);
  int estimates = 0;
  for (int step = 0; step < 320; ++step) {
    run.step(draws.laplace(size), weir::Histogram{});
    estimates += run.bucket.last().was_reused == 0;
  }
  CHECK(run.part_within(0.5, 2.0, 0) == 1.0);
  CHECK(run.part_within(0.8, 1.45, 100) >= 0.95);
  CHECK(estimates >= 10);
  CHECK(estimates < 60);

  std::vector<float> tenfold = draws.laplace(size);
  for (float& value : tenfold) value *= 100.0f;
  run.step(tenfold, weir::Histogram{});
  CHECK(run.bucket.last().was_reused == 0);
  CHECK(std::fabs(run.bucket.last().quality - 1.0) <= 0.01);
  CHECK(run.bucket.last().overflow == 0);
  run.step(draws.laplace(size), weir::Histogram{});
  CHECK(run.bucket.state.reuse_age <= 2);
}
