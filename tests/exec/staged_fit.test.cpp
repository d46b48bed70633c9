#include "weir/exec/staged_fit.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

namespace {

/// Half of the mean whatever the ratio, so that thresholds are easy to tell.
struct HalfTheMean {
  static constexpr char const* name = "half the mean";
  double fit(weir::TailStatistics const& tail, double) const { return tail.mean() / 2; }
  double fit_excess(weir::TailStatistics const& tail, double) const { return tail.mean() / 2; }
};
struct Exponential {
  static constexpr char const* name = "exponential";
  double fit(weir::TailStatistics const& tail, double ratio) const { return -tail.mean() * std::log(ratio); }
  double fit_excess(weir::TailStatistics const& tail, double ratio) const { return fit(tail, ratio); }
};

weir::TailStatistics tail_of(double mean, std::uint64_t participants = 10) {
  return {.participants = participants,
          .smallest = mean / 2,
          .largest = mean * 2,
          .sum = mean * static_cast<double>(participants),
          .squared_deviations = mean * mean};
}

}  // namespace

TEST_CASE("each stage starts from the threshold before") {
  weir::StagedFit<HalfTheMean> fit;
  CHECK(fit.start({}, {tail_of(8.0)}, 0.01, {}, 3, 0.25));
  CHECK(fit.threshold == 4.0);
  CHECK(fit.resume({}, tail_of(2.0)));
  CHECK(fit.threshold == 5.0);
  CHECK(!fit.resume({}, tail_of(1.0)));
  CHECK(fit.threshold == 5.5);
  CHECK(fit.stages == 3);
}

TEST_CASE("of a memoryless distribution all numbers of stages give the same") {
  for (std::uint32_t stages = 1; stages <= 10; ++stages) {
    weir::StagedFit<Exponential> fit;
    double last = 0.0;
    for (bool goes_on = fit.start({}, {tail_of(3.0)}, 0.001, {}, stages, 0.25); goes_on;
         goes_on = fit.resume({}, tail_of(3.0))) {
      CHECK(fit.threshold > last);
      last = fit.threshold;
    }
    CHECK(fit.stages == stages);
    CHECK(std::fabs(fit.threshold / (3.0 * std::log(1000.0)) - 1.0) < 1e-12);
  }
}

TEST_CASE("it ends where there is nothing to fit") {
  weir::StagedFit<HalfTheMean> fit;
  CHECK(fit.start({}, {tail_of(8.0)}, 0.01, {}, 5, 0.25));
  CHECK(!fit.resume({}, tail_of(2.0, 1)));
  CHECK(fit.threshold == 4.0);
  CHECK(fit.stages == 1);
  weir::TailStatistics equal = tail_of(2.0);
  equal.smallest = equal.largest = 2.0;
  CHECK(!fit.resume({}, equal));
  CHECK(!fit.resume({}, {.participants = 3, .smallest = 1.0, .largest = 2.0, .sum = 4.0}));
}

TEST_CASE("scaled statistics give unscaled thresholds") {
  weir::StagedFit<HalfTheMean> fit;
  CHECK(fit.start({}, {tail_of(8.0), 4.0}, 0.01, {}, 2, 0.25));
  CHECK(fit.threshold == 1.0);
  CHECK(!fit.resume({}, tail_of(8.0)));
  CHECK(fit.threshold == 2.0);
}

TEST_CASE("what a policy gives is made usable") {
  CHECK(weir::detail::usable_threshold(-1.0) == 0.0);
  CHECK(weir::detail::usable_threshold(2.0) == 2.0);
  CHECK(std::isinf(weir::detail::usable_threshold(std::numeric_limits<double>::quiet_NaN())));
}
