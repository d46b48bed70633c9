#include "weir/gradient/scale.hpp"

#include <doctest/doctest.h>

static_assert(weir::ScalePolicy<weir::SumScale>);
static_assert(weir::ScalePolicy<weir::MeanOverMicroBatches>);
static_assert(weir::ScalePolicy<weir::MeanOverSamples>);
static_assert(!weir::ScalePolicy<int>);

TEST_CASE("each policy turns the sum of (samples / b) * gradient into its gradient") {
  // Means 2 and 5 of micro-batches with 8 and 3 of 8 samples, in a step of 4 micro-batches.
  weir::StepInfo const step{.samples = 11, .local_batch = 8, .total_micro_batches = 4};
  double const sum = 8.0 / 8.0 * 2.0 + 3.0 / 8.0 * 5.0;
  CHECK(sum * weir::SumScale{}.factor(step) == 3.875);
  CHECK(sum * weir::MeanOverMicroBatches{}.factor(step) == 3.875 / 4);
  CHECK(sum * weir::MeanOverSamples{}.factor(step) == doctest::Approx(31.0 / 11.0).epsilon(1e-15));
}

TEST_CASE("full micro-batches make both means the same") {
  weir::StepInfo const step{.samples = 24, .local_batch = 2, .total_micro_batches = 12};
  CHECK(weir::MeanOverSamples{}.factor(step) == weir::MeanOverMicroBatches{}.factor(step));
}

TEST_CASE("a step without samples has the factor 0") {
  CHECK(weir::MeanOverSamples{}.factor({.samples = 0, .local_batch = 8}) == 0.0);
}
