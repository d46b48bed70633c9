#include "weir/compress/threshold/gamma_approximate.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weir/exec/threshold_policy.hpp"

static_assert(weir::FittedThreshold<weir::GammaApproximate> &&
              !weir::StagedThreshold<weir::GammaApproximate>);

TEST_CASE("the published approximation, never below zero") {
  weir::TailStatistics tail{.participants = 5,
                            .sum = 15.0,
                            .squared_deviations = 40.0,
                            .sum_of_logarithms = 5.0 * (std::log(3.0) - 2.0)};
  double const expected = -9.0 * (std::log(0.01) + std::lgamma(1.0 / 3.0));
  CHECK(std::fabs(weir::GammaApproximate{}.fit(tail, 0.01) / expected - 1.0) < 1e-12);
  CHECK(weir::GammaApproximate{}.fit(tail, 0.9) == 0.0);
  tail.sum_of_logarithms = 5.0 * std::log(3.0);
  CHECK(weir::GammaApproximate{}.fit(tail, 0.01) == weir::Gamma{}.fit(tail, 0.01));
}
