#include "weir/compress/threshold/everything.hpp"

#include <doctest/doctest.h>

#include <string>

#include "weir/exec/threshold_policy.hpp"

static_assert(weir::SelectsEverything<weir::Everything> && weir::ThresholdPolicy<weir::Everything>);

TEST_CASE("its name is that of a gradient without a sparsifier") {
  CHECK(std::string(weir::Everything::name) == "dense");
}
