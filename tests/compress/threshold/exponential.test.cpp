#include "weir/compress/threshold/exponential.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weir/exec/threshold_policy.hpp"

static_assert(weir::StagedThreshold<weir::Exponential> && !weir::needs_logarithms<weir::Exponential>);

TEST_CASE("the threshold is the mean times the logarithm of one over the ratio") {
  weir::TailStatistics const tail{.participants = 4, .sum = 10.0};
  CHECK(std::fabs(weir::Exponential{}.fit(tail, 0.01) / (2.5 * std::log(100.0)) - 1.0) < 1e-15);
  CHECK(weir::Exponential{}.fit_excess(tail, 0.3) == weir::Exponential{}.fit(tail, 0.3));
}
