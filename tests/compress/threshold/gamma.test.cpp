#include "weir/compress/threshold/gamma.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weir/exec/threshold_policy.hpp"

static_assert(weir::FittedThreshold<weir::Gamma> && !weir::StagedThreshold<weir::Gamma> &&
              weir::needs_logarithms<weir::Gamma>);

TEST_CASE("the shape that belongs to the spread of the logarithms") {
  double const cases[][2] = {
      {0.001, 500.166555667}, {0.1, 5.15654703713}, {1, 0.607625218511}, {2, 1.0 / 3.0}, {5, 0.152258812094}};
  for (auto const& [spread, shape] : cases) {
    CHECK(std::fabs(weir::detail::gamma_shape(spread) / shape - 1.0) < 1e-11);
  }
}

TEST_CASE("the threshold is the quantile of that shape, scaled") {
  // Mean 3 and spread 2, so shape 1/3 and scale 9.
  weir::TailStatistics const tail{.participants = 5,
                                  .sum = 15.0,
                                  .squared_deviations = 40.0,
                                  .sum_of_logarithms = 5.0 * (std::log(3.0) - 2.0)};
  double const expected = 9.0 * weir::upper_gamma_quantile(1.0 / 3.0, 0.01);
  CHECK(std::fabs(weir::Gamma{}.fit(tail, 0.01) / expected - 1.0) < 1e-12);
}

TEST_CASE("narrow data is taken as half-normal above its smallest magnitude") {
  double const mean = 1.0 + 5e-7;
  weir::TailStatistics const tail{.participants = 4,
                                  .smallest = 1.0,
                                  .largest = 1.0 + 1e-6,
                                  .sum = 4.0 * mean,
                                  .squared_deviations = 1e-12,
                                  .sum_of_logarithms = 4.0 * std::log(mean)};
  double const threshold = weir::Gamma{}.fit(tail, 0.05);
  CHECK(threshold == weir::Normal::fit_from(1.0, tail, 0.05));
  CHECK(threshold > 1.0);
  CHECK(threshold < 1.0 + 3e-6);
}
