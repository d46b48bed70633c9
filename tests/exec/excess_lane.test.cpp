#include "weir/exec/excess_lane.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

using weir::detail::ExcessLane;

TEST_CASE("a lane knows the excesses of what is above the base") {
  ExcessLane<float> lane;
  for (float const value : {3.0f, -5.0f, 1.0f, 2.0f, -0.5f, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN(), 9.0f}) {
    lane.add(value, 2.0, 1.0);
  }
  weir::TailStatistics const tail = lane.node().statistics();  // 1, 3, 7
  CHECK(tail.participants == 3);
  CHECK(tail.smallest == 1.0);
  CHECK(tail.largest == 7.0);
  CHECK(tail.mean() == doctest::Approx(11.0 / 3.0));
  CHECK(tail.variance() == doctest::Approx(28.0 / 3.0));
  CHECK(ExcessLane<float>{}.node().participants == 0);
}

TEST_CASE("the base and the scale are doubles") {
  ExcessLane<float> lane;
  lane.add(1.0f, 1.0 - 0x1p-40, 0x1p40);
  CHECK(lane.node().largest == 1.0);
  ExcessLane<double> far;
  far.add(0x1p-600, 0.0, 0x1p600);
  far.add(0x1p-599, 0.0, 0x1p600);
  CHECK(far.node().statistics().variance() == 0.5);
}

TEST_CASE("equal excesses have no deviation at all, narrow ones a small one") {
  ExcessLane<float> equal;
  for (int i = 0; i < 64; ++i) equal.add(0.1f, 0.05, 1.0);
  CHECK(equal.node().squared_deviations == 0.0);
  ExcessLane<double> narrow;
  for (int i = 0; i < 64; ++i) narrow.add(1e6 + (i % 2), 1.0, 1.0);
  CHECK(narrow.node().squared_deviations == doctest::Approx(16.0).epsilon(1e-12));
}
