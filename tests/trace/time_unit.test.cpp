#include "weir/trace/time_unit.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string_view>

using namespace weir::detail;

TEST_CASE("a length of time is told in the largest unit of which it has one") {
  CHECK(length_text(0) == "0 ns");
  CHECK(length_text(999) == "999 ns");
  CHECK(length_text(1'000) == "1 µs");
  CHECK(length_text(1'500) == "1.5 µs");
  CHECK(length_text(12'345'678) == "12.345 ms");
  CHECK(length_text(61'000'000'000) == "61 s");
  CHECK(length_text(10) == "10 ns");
}

TEST_CASE("marks are 1, 2 or 5 times a power of ten apart and as many as asked for at most") {
  for (std::int64_t duration = 1; duration < std::int64_t{1} << 50; duration = duration * 3 / 2 + 1) {
    for (std::int64_t const most : {2, 7, 20}) {
      std::int64_t const distance = mark_distance(duration, most);
      REQUIRE(distance >= 1);
      REQUIRE(duration / distance <= most);
      std::int64_t leading = distance;
      while (leading % 10 == 0) leading /= 10;
      bool const is_round = leading == 1 || leading == 2 || leading == 5;
      REQUIRE(is_round);
      if (distance > 1) REQUIRE(duration / distance * 3 >= most / 2);
    }
  }
}
