#include "weir/exec/count_non_finite.hpp"

#include <doctest/doctest.h>

TEST_CASE("what a measurement found is added to the count") {
  weir::Measurement measurement{.sum_of_squares = 1.0, .non_finite = 3};
  std::uint64_t seen = 4;
  weir::CountNonFinite const count{&measurement, &seen};
  count();
  CHECK(seen == 7);
  measurement.non_finite = 0;
  count();
  CHECK(seen == 7);
}
