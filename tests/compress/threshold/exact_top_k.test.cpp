#include "weir/compress/threshold/exact_top_k.hpp"

#include <doctest/doctest.h>

#include "weir/exec/threshold_policy.hpp"

static_assert(weir::RankedThreshold<weir::ExactTopK> && weir::ExactTopK::is_exact);

TEST_CASE("nothing may be missing or too much") {
  CHECK(weir::ExactTopK{}.tolerance(1000000) == 0);
}
