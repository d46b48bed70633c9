#include "weir/exec/merge_tails.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using weir::NonFinitePolicy;

TEST_CASE("statistics of parts become those of the whole") {
  // Of 1, 3; of nothing; and of 8 with one element that is not finite.
  weir::TailStatistics const tails[] = {{0, 2, 1.0, 3.0, 4.0, 2.0, 1.0}, {}, {1, 1, 8.0, 8.0, 8.0, 0.0, 2.0}};
  weir::SharedTail whole;
  weir::MergeTails{tails, 3, NonFinitePolicy::propagate, &whole}();
  CHECK(whole.ranks == 3);
  CHECK(whole.tail.non_finite == 1);
  CHECK(whole.tail.participants == 3);
  CHECK(whole.tail.smallest == 1.0);
  CHECK(whole.tail.largest == 8.0);
  CHECK(whole.tail.mean() == 4.0);
  CHECK(whole.tail.variance() == 13.0);
  CHECK(whole.tail.sum_of_logarithms == 3.0);
  weir::MergeTails{tails, 1, NonFinitePolicy::propagate, &whole}();
  CHECK(whole.ranks == 1);
  CHECK(whole.tail.participants == 2);
}

TEST_CASE("a step that is skipped for another reason takes no part, whatever the policy says") {
  weir::TailStatistics const tails[] = {weir::TailStatistics::of_skipped(), {0, 2, 1.0, 3.0, 4.0, 2.0, 1.0}};
  for (auto const policy : {NonFinitePolicy::skip, NonFinitePolicy::propagate, NonFinitePolicy::error}) {
    weir::SharedTail whole;
    weir::MergeTails{tails, 2, policy, &whole}();
    CHECK(whole.ranks == 1);
    CHECK(whole.tail.participants == 2);
    CHECK(whole.tail.smallest == 1.0);
    CHECK(whole.tail.largest == 3.0);
  }
}

TEST_CASE("a rank that sends nothing of its own is left out, be it the first") {
  weir::TailStatistics const tails[] = {{1, 1, 8.0, 8.0, 8.0, 0.0, 2.0}, {0, 2, 1.0, 3.0, 4.0, 2.0, 1.0}, {}};
  for (auto const policy : {NonFinitePolicy::skip, NonFinitePolicy::error}) {
    weir::SharedTail whole;
    weir::MergeTails{tails, 3, policy, &whole}();
    CHECK(whole.ranks == 2);
    CHECK(whole.tail.non_finite == 0);
    CHECK(whole.tail.participants == 2);
    CHECK(whole.tail.largest == 3.0);
    weir::MergeTails{tails, 1, policy, &whole}();
    CHECK(whole.ranks == 0);
    CHECK(whole.tail.participants == 0);
    CHECK(whole.tail.largest == 0.0);
  }
}
