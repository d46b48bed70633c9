#include "weir/exec/tail_statistics.hpp"

#include <doctest/doctest.h>

#include <type_traits>

// Kernels write it as it lies in memory.
static_assert(std::is_trivially_copyable_v<weir::TailStatistics> &&
              std::is_standard_layout_v<weir::TailStatistics>);

TEST_CASE("mean, variance and the sum of squares follow from the rest") {
  weir::TailStatistics const none;
  CHECK(none.mean() == 0);
  CHECK(none.variance() == 0);
  CHECK(none.sum_of_squares() == 0);
  // 1, 2, 6
  weir::TailStatistics const three{
      .participants = 3, .smallest = 1, .largest = 6, .sum = 9, .squared_deviations = 14};
  CHECK(three.mean() == 3);
  CHECK(three.variance() == 7);
  CHECK(three.sum_of_squares() == 41);
  weir::TailStatistics const one{.participants = 1, .sum = 9};
  CHECK(one.variance() == 0);
}
