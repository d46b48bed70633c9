#include "weir/compress/median_time.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

TEST_CASE("the median is of the calls after the warm-up, in whatever order they come") {
  std::vector<std::int64_t> const times = {1000, 900, 5, 1, 4, 2, 3};
  std::size_t calls = 0;
  CHECK(weir::detail::median_time(2, 5, [&] { return times[calls++]; }) == 3);
  CHECK(calls == times.size());
}

TEST_CASE("of an even number of calls it is the upper one, of a single call that one") {
  std::vector<std::int64_t> const times = {4, 1, 3, 2};
  std::size_t calls = 0;
  CHECK(weir::detail::median_time(0, 4, [&] { return times[calls++]; }) == 3);
  CHECK(weir::detail::median_time(0, 1, [] { return std::int64_t{7}; }) == 7);
}
