#include "weir/compress/threshold/gamma_pareto.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weir/exec/threshold_policy.hpp"

static_assert(weir::StagedThreshold<weir::GammaPareto> && weir::needs_logarithms<weir::GammaPareto>);

TEST_CASE("gamma first, generalized Pareto later") {
  weir::TailStatistics const tail{.participants = 5,
                                  .sum = 15.0,
                                  .squared_deviations = 40.0,
                                  .sum_of_logarithms = 5.0 * (std::log(3.0) - 2.0)};
  CHECK(weir::GammaPareto{}.fit(tail, 0.25) == weir::Gamma{}.fit(tail, 0.25));
  CHECK(weir::GammaPareto{}.fit_excess(tail, 0.25) == weir::GeneralizedPareto::quantile(3.0, 10.0, 0.25));
}
