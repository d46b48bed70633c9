#include "weir/pipeline/schedule_shape.hpp"

#include <doctest/doctest.h>

using namespace weir;

TEST_CASE("a refusal names parameter, rule and the nearest that exists") {
  ShapeRefusal const refusal{ShapeParameter::workers, 3, "needs an even number of workers", 4};
  CHECK(text(refusal, "dualpipe") == "workers 3: dualpipe needs an even number of workers; 4 would be right");
  CHECK(text(refusal, "dualpipe", "--workers").starts_with("--workers 3: "));
  CHECK_FALSE(ShapeRefusal{});
}

TEST_CASE("the nearest that exists") {
  CHECK(detail::nearest_multiple(9, 4) == 8);
  CHECK(detail::nearest_multiple(10, 4) == 12);
  CHECK(detail::nearest_multiple(1, 4) == 4);
  CHECK(detail::nearest_divisor(3, 4) == 2);
  CHECK(detail::nearest_divisor(4294967293, 4) == 4);
  CHECK(detail::nearest_even(7) == 8);
}
