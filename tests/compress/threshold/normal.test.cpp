#include "weir/compress/threshold/normal.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weir/exec/threshold_policy.hpp"

static_assert(weir::StagedThreshold<weir::Normal> && !weir::needs_logarithms<weir::Normal>);

TEST_CASE("the threshold is the root mean square times a quantile of both tails") {
  weir::TailStatistics const tail{.participants = 2, .sum = 4.0, .squared_deviations = 2.0};  // 1 and 3
  CHECK(std::fabs(weir::Normal{}.fit(tail, 0.05) / (std::sqrt(5.0) * 1.959963984540054) - 1.0) < 1e-14);
  CHECK(std::fabs(weir::Normal{}.fit(tail, 0.001) / (std::sqrt(5.0) * 3.290526731491926) - 1.0) < 1e-14);
}

TEST_CASE("excesses are fitted by the generalized Pareto distribution") {
  weir::TailStatistics const tail{.participants = 3, .sum = 6.0, .squared_deviations = 6.0};
  CHECK(weir::Normal{}.fit_excess(tail, 0.01) == weir::GeneralizedPareto::quantile(2.0, 3.0, 0.01));
}

TEST_CASE("magnitudes may be counted from an origin") {
  weir::TailStatistics const tail{.participants = 2, .sum = 4.0, .squared_deviations = 2.0};
  double const root_mean_square = std::sqrt(2.0);  // of 0 and 2
  CHECK(std::fabs(weir::Normal::fit_from(1.0, tail, 0.05) / (1.0 + root_mean_square * 1.959963984540054) -
                  1.0) < 1e-14);
}
