#include "weir/core/square_root.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "special_samples.hpp"

TEST_CASE("a square root is the correctly rounded one") {
  samples::Bits bits{5};
  for (int i = 0; i < 100'000; ++i) {
    double const x = std::ldexp(1 + bits.uniform(), static_cast<int>(bits.next() % 2'000) - 1'000);
    double const root = weir::square_root(x);
    // The halves of the distances to the neighbours, squared, lie on both sides of x.
    long double const below = (static_cast<long double>(root) + std::nextafter(root, 0.0)) / 2;
    long double const above = (static_cast<long double>(root) + std::nextafter(root, 2 * root)) / 2;
    REQUIRE(below * below <= static_cast<long double>(x) * (1 + 1e-18L));
    REQUIRE(above * above >= static_cast<long double>(x) * (1 - 1e-18L));
  }
  CHECK(weir::square_root(0.0) == 0.0);
  CHECK(std::isnan(weir::square_root(-1.0)));
}
