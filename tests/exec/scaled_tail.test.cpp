#include "weir/exec/scaled_tail.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>

using weir::ScaledTail;

TEST_CASE("extreme is what has no square") {
  CHECK(!ScaledTail::is_extreme(1.0));
  CHECK(!ScaledTail::is_extreme(3e38));
  CHECK(ScaledTail::is_extreme(1e-200));
  CHECK(ScaledTail::is_extreme(1e200));
  for (double const x : {1e-320, 1e-200, 1e300}) {
    double const scaled = x * ScaledTail::scale_for(x);
    CHECK(scaled < 2.0);
    CHECK((scaled >= 1.0 || x < 1e-301));
  }
}

TEST_CASE("scaled statistics keep their logarithms") {
  ScaledTail scaled{{.participants = 2, .sum_of_logarithms = std::log(3e-200) + std::log(1e-200)}};
  double const by = ScaledTail::scale_for(3e-200);
  scaled.rescale({.participants = 2, .sum = 4e-200 * by}, by);
  CHECK(scaled.tail.sum_of_logarithms == doctest::Approx(std::log(3e-200 * by) + std::log(1e-200 * by)));
  CHECK(scaled.scale == by);
}

TEST_CASE("mean and deviation of all, with the zeros") {
  ScaledTail const scaled{{.participants = 2, .sum = 16.0, .squared_deviations = 32.0},
                          2.0};  // 2 and 6, times 2
  weir::TrialData data;
  scaled.describe_all(4, data);  // 0 0 2 6
  CHECK(data.mean == 2.0);
  CHECK(data.deviation == doctest::Approx(std::sqrt(24.0 / 3.0)));
}
