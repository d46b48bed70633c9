#include "weir/core/rounded_product.hpp"

#include <doctest/doctest.h>

namespace {

// (1 + e)^2 - (1 + 2e) is e^2 exactly, and 0 when the product is rounded first.
template <class Real>
Real rest_of_square(Real e) {
  Real const one_plus = 1 + e;
  return weir::rounded_product(one_plus, one_plus) - (1 + 2 * e);
}

}  // namespace

TEST_CASE("a rounded product is rounded before it is added") {
  double volatile small_double = 0x1p-40;
  float volatile small_float = 0x1p-20f;
  CHECK(rest_of_square<double>(small_double) == 0);
  CHECK(rest_of_square<float>(small_float) == 0);
}

TEST_CASE("a rounded product is a constant expression") {
  static_assert(weir::rounded_product(1.5, 4.0) == 6.0);
  static_assert(weir::rounded_product(1.5f, 4.0f) == 6.0f);
  double volatile left = 1.5;
  CHECK(weir::rounded_product<double>(left, 4.0) == 6.0);
}
