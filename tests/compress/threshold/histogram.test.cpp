#include "weir/compress/threshold/histogram.hpp"

#include <doctest/doctest.h>

#include "weir/exec/threshold_policy.hpp"

static_assert(weir::RankedThreshold<weir::Histogram> && !weir::Histogram::is_exact);

TEST_CASE("a percent of k may be missing or too much, of less than a hundred nothing") {
  CHECK(weir::Histogram{}.tolerance(1) == 0);
  CHECK(weir::Histogram{}.tolerance(99) == 0);
  CHECK(weir::Histogram{}.tolerance(100) == 1);
  CHECK(weir::Histogram{}.tolerance(12345) == 123);
}
