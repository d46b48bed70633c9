#include "weir/exec/element_clamp.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "host/verb_oracle.hpp"

namespace {

template <class Real>
Real clamp(weir::ElementClamp const& clamp, Real value) {
  return weir::ElementClamp::clamped(value, clamp.limit<Real>());
}

template <class Real>
void check_values() {
  weir::ElementClamp const half{.most = 0.5};
  for (Real same :
       {Real(0.5), Real(-0.5), Real(0.25), Real(0), -Real(0), std::numeric_limits<Real>::denorm_min()})
    CHECK(oracle::bits_of(clamp(half, same)) == oracle::bits_of(same));
  CHECK(clamp(half, std::nextafter(Real(0.5), Real(1))) == Real(0.5));
  CHECK(clamp(half, Real(-3)) == Real(-0.5));
  CHECK(clamp(half, std::numeric_limits<Real>::max()) == Real(0.5));
  CHECK(clamp(half, std::numeric_limits<Real>::lowest()) == Real(-0.5));
  for (Real strange : {std::numeric_limits<Real>::infinity(), std::numeric_limits<Real>::quiet_NaN()}) {
    CHECK(oracle::bits_of(clamp(half, strange)) == oracle::bits_of(strange));
    CHECK(oracle::bits_of(clamp(half, -strange)) == oracle::bits_of(-strange));
  }
}

}

TEST_CASE(
    "finite elements are brought down to the bound with their sign, NaN and infinity stay as they are") {
  check_values<float>();
  check_values<double>();
}

TEST_CASE("the bound is that of the scaled element, whatever the sign of the scale") {
  weir::GradientControl const control{-0.5, 0};
  weir::ElementClamp const scaled{.most = 1.0, .scale = {0.25, &control}};
  CHECK(clamp(scaled, 100.0f) == 8.0f);
  CHECK(clamp(scaled, -100.0f) == -8.0f);
  CHECK(clamp(scaled, -7.5f) == -7.5f);
}

TEST_CASE("a bound that no finite element exceeds leaves all of them") {
  float const largest = std::numeric_limits<float>::max();
  weir::GradientControl const nothing{0.0, 0}, unknown{std::numeric_limits<double>::quiet_NaN(), 0};
  CHECK(weir::ElementClamp{}.is_empty());
  CHECK_FALSE(weir::ElementClamp{.most = 1e300}.is_empty());
  CHECK(clamp(weir::ElementClamp{}, largest) == largest);
  CHECK(clamp(weir::ElementClamp{.most = 1e300}, -largest) == -largest);
  CHECK(clamp(weir::ElementClamp{.most = 1.0, .scale = {1.0, &nothing}}, largest) == largest);
  CHECK(clamp(weir::ElementClamp{.most = 1.0, .scale = {1.0, &unknown}}, largest) == largest);
}
