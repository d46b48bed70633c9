#include "weir/stage/loss_sum.hpp"

#include <doctest/doctest.h>

TEST_CASE("A mean loss counts samples, and is zero where there were none") {
  CHECK(weir::LossSum{31.0, 11}.mean() == doctest::Approx(31.0 / 11.0));
  CHECK(weir::LossSum{}.mean() == 0.0);
}
