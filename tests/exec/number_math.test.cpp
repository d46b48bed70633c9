#include "weir/exec/number_math.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>

#include "host/verb_oracle.hpp"

namespace {

template <class Real>
void check() {
  oracle::Numbers numbers(11);
  for (int i = 0; i < 1000; ++i) {
    Real const a = static_cast<Real>(numbers.number()), b = static_cast<Real>(numbers.number()),
               c = static_cast<Real>(numbers.number());
    Real product, sum, quotient, root;
    weir::NumberMath::multiply(a, b, product);
    weir::NumberMath::multiply_add(a, b, c, sum);
    weir::NumberMath::divide(a, b, quotient);
    weir::NumberMath::square_root(std::abs(a), root);
    CHECK(product == oracle::times(a, b));
    CHECK(sum == oracle::plus(oracle::times(a, b), c));
    CHECK(quotient == oracle::rounded<Real>(a / b));
    CHECK(root == oracle::rounded<Real>(std::sqrt(std::abs(a))));
  }
}

}  // namespace

TEST_CASE("every operation is rounded once, products before they are added") {
  check<float>();
  check<double>();
}

TEST_CASE("a result may take the place of an operand") {
  double value = 3;
  weir::NumberMath::multiply_add(value, value, value, value);
  CHECK(value == 12);
  weir::NumberMath::divide(value, 3.0, value);
  weir::NumberMath::square_root(value, value);
  CHECK(value == 2);
}
