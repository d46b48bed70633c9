#include "weir/host/lane_math.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "host/each_width.hpp"
#include "host/verb_oracle.hpp"
#include "weir/exec/number_math.hpp"
#include "weir/host/load_store.hpp"

namespace {

/// Each operation of a `Math` into a vector of its own.
template <class Number>
struct EachOperation {
  using Real = Number;
  Real const* a;
  Real const* b;
  Real scalar;
  Real* product;
  Real* sum;
  Real* quotient;
  Real* root;
  Real* shifted;
  Real* difference;
  Real* scaled;

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    using Math = weir::detail::LaneMath<Real, Count>;
    weir::Lanes<Real, Count> left, right, to;
    weir::detail::load<Real, Count>(a + i, left);
    weir::detail::load<Real, Count>(b + i, right);
    Math::multiply(left, right, to);
    weir::detail::store<Real, Count>(to, product + i);
    Math::multiply_add(left, scalar, right, to);
    weir::detail::store<Real, Count>(to, sum + i);
    Math::divide(left, right, to);
    weir::detail::store<Real, Count>(to, quotient + i);
    Math::square_root(right, to);
    weir::detail::store<Real, Count>(to, root + i);
    Math::add(left, scalar, to);
    weir::detail::store<Real, Count>(to, shifted + i);
    Math::subtract(left, right, to);
    weir::detail::store<Real, Count>(to, difference + i);
    Math::multiply(left, scalar, to);
    weir::detail::store<Real, Count>(to, scaled + i);
  }
};

template <class Real>
void check() {
  std::size_t const size = 301;
  oracle::Numbers numbers(14);
  auto const a = numbers.vector<Real>(size);
  auto b = numbers.vector<Real>(size);
  for (Real& value : b) value = value < 0 ? -value : value;
  Real const scalar = static_cast<Real>(0.1);
  std::vector<Real> expected[7], found[7];
  for (auto& values : expected) values.resize(size);
  for (std::size_t i = 0; i < size; ++i) {
    weir::NumberMath::multiply(a[i], b[i], expected[0][i]);
    weir::NumberMath::multiply_add(a[i], scalar, b[i], expected[1][i]);
    weir::NumberMath::divide(a[i], b[i], expected[2][i]);
    weir::NumberMath::square_root(b[i], expected[3][i]);
    weir::NumberMath::add(a[i], scalar, expected[4][i]);
    weir::NumberMath::subtract(a[i], b[i], expected[5][i]);
    weir::NumberMath::multiply(a[i], scalar, expected[6][i]);
  }
  with_each_width(
      0, size,
      [&] {
        for (auto& values : found) values.assign(size, Real{77});
        return weir::detail::Elementwise<EachOperation<Real>>{
            {a.data(), b.data(), scalar, found[0].data(), found[1].data(), found[2].data(), found[3].data(),
             found[4].data(), found[5].data(), found[6].data()}};
      },
      [&](char const* width) {
        CAPTURE(width);
        for (int operation = 0; operation < 7; ++operation) {
          CAPTURE(operation);
          CHECK(found[operation] == expected[operation]);
        }
      });
}

}  // namespace

TEST_CASE("several numbers at once give the bits of one at a time, in vectors of any width") {
  check<float>();
  check<double>();
}
