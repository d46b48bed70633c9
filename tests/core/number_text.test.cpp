#include "weir/core/number_text.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <limits>
#include <string>

using weir::detail::number_text;

TEST_CASE("a number is written in the fewest digits that say which it is") {
  CHECK(number_text(0.05) == "0.05");
  CHECK(number_text(2.0) == "2");
  CHECK(number_text(1e-7) == "1e-07");
  CHECK(number_text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(number_text(std::numeric_limits<double>::infinity()) == "inf");
}

TEST_CASE("the same number comes back") {
  for (double value : {1.0 / 3.0, -1e-300, 5e-324, 1.7976931348623157e308, 0.1f * 1.0, -0.0})
    CHECK(std::strtod(number_text(value).c_str(), nullptr) == value);
}
