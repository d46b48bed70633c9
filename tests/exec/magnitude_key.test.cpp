#include "weir/exec/magnitude_key.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using Single = weir::MagnitudeKey<float>;
using Double = weir::MagnitudeKey<double>;

TEST_CASE("keys are ordered like magnitudes") {
  float const rising[] = {0.0f,   1e-45f, 1e-38f, 0.5f,
                          -0.75f, 1.0f,   -3e38f, std::numeric_limits<float>::infinity()};
  for (int i = 1; i < 8; ++i) CHECK(Single::of(rising[i - 1]) < Single::of(rising[i]));
  CHECK(Single::of(-0.0f) == 0);
  CHECK(Single::of(-2.5f) == Single::of(2.5f));
  CHECK(Single::value(Single::of(-2.5f)) == 2.5f);
  CHECK(Double::value(Double::of(-1e-310)) == 1e-310);
}

TEST_CASE("what takes part is finite and not zero") {
  CHECK(!Single::takes_part(Single::of(0.0f)));
  CHECK(!Single::takes_part(Single::of(-std::numeric_limits<float>::infinity())));
  CHECK(!Single::takes_part(Single::of(std::numeric_limits<float>::quiet_NaN())));
  CHECK(Single::takes_part(Single::of(1e-45f)));
  CHECK(Double::takes_part(Double::of(-std::numeric_limits<double>::max())));
}

TEST_CASE("the first level has 256 bins an octave, each other splits down to single values") {
  CHECK((Single::of(2.0f) >> Single::shift(0)) == (Single::of(1.0f) >> Single::shift(0)) + 256);
  CHECK((Double::of(2.0) >> Double::shift(0)) == (Double::of(1.0) >> Double::shift(0)) + 256);
  CHECK(Single::shift(1) == 7);
  CHECK(Double::shift(1) == 32);
  CHECK(Double::shift(3) == 8);
  CHECK(Single::shift(Single::levels - 1) == 0);
  CHECK(Double::shift(Double::levels - 1) == 0);
}
