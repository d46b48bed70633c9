#include "weir/comm/even_split.hpp"

#include <doctest/doctest.h>

#include <cstdint>

TEST_CASE("parts are n*r/R, contiguous, and differ by one element at most") {
  for (std::size_t count = 0; count < 50; ++count) {
    for (std::size_t parts = 1; parts < 9; ++parts) {
      CHECK(weir::even_split(count, 0, parts) == 0);
      CHECK(weir::even_split(count, parts, parts) == count);
      for (std::size_t part = 0; part < parts; ++part) {
        CHECK(weir::even_split(count, part, parts) == count * part / parts);
        auto const size = weir::even_split(count, part + 1, parts) - weir::even_split(count, part, parts);
        CHECK((size == count / parts || size == count / parts + 1));
      }
    }
  }
}

TEST_CASE("sizes whose product with the part does not fit are split all the same") {
  CHECK(weir::even_split(SIZE_MAX, 3, 4) == SIZE_MAX / 4 * 3 + 2);
}
