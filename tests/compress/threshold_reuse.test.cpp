#include "weir/compress/threshold_reuse.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace {

weir::ReuseConstants constants(weir::ThresholdReuse const& reuse) {
  return reuse;
}

}

TEST_CASE("a threshold is kept for 32 steps, with a small gain, unless it is said otherwise") {
  CHECK(constants({}).interval == 32);
  CHECK(constants({}).gain == 0.02);
  CHECK(constants({.interval = 8, .gain = 0.01}).interval == 8);
  CHECK(constants({.interval = 8, .gain = 0.01}).gain == 0.01);
}

TEST_CASE("an interval of no steps, and gains that are none, are refused") {
  CHECK_THROWS_WITH_AS(constants({.interval = 0}), "ThresholdReuse: interval is 0, it has to be at least 1",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(constants({.gain = 1.5}),
                       "ThresholdReuse: gain is 1.500000, it has to be within [0, 1]",
                       weir::ContractViolation);
  for (double gain : {-0.1, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(constants({.gain = gain}), weir::ContractViolation);
}
