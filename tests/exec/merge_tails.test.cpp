#include "weir/exec/merge_tails.hpp"

#include <doctest/doctest.h>

TEST_CASE("statistics of parts become those of the whole") {
  // Of 1, 3; of nothing; and of 8 with one element that is not finite.
  weir::TailStatistics const tails[] = {{0, 2, 1.0, 3.0, 4.0, 2.0, 1.0}, {}, {1, 1, 8.0, 8.0, 8.0, 0.0, 2.0}};
  weir::TailStatistics whole;
  weir::MergeTails{tails, 3, &whole}();
  CHECK(whole.non_finite == 1);
  CHECK(whole.participants == 3);
  CHECK(whole.smallest == 1.0);
  CHECK(whole.largest == 8.0);
  CHECK(whole.mean() == 4.0);
  CHECK(whole.variance() == 13.0);
  CHECK(whole.sum_of_logarithms == 3.0);
  weir::MergeTails{tails, 1, &whole}();
  CHECK(whole.participants == 2);
}
