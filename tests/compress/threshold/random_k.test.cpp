#include "weir/compress/threshold/random_k.hpp"

#include <doctest/doctest.h>

#include "weir/exec/threshold_policy.hpp"

static_assert(weir::RandomSlots<weir::RandomK>);

TEST_CASE("values are multiplied only where the mean has to be kept") {
  CHECK(weir::RandomK{}.factor(1000, 10) == 1.0);
  CHECK(weir::RandomK{.is_unbiased = true}.factor(1000, 10) == 100.0);
  CHECK(weir::RandomK{.is_unbiased = true}.factor(0, 0) == 1.0);
  CHECK(weir::RandomK{}.text() == "random-k");
  CHECK(weir::RandomK{.is_unbiased = true}.text() == "random-k, unbiased");
}
