#include "weir/host/lanes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "each_width.hpp"
#include "verb_oracle.hpp"

namespace {

/// out = left * right + addend, and root = sqrt(|left|).
template <class Number>
struct Arithmetic {
  using Real = Number;
  Real const* left;
  Real const* right;
  Real const* addend;
  Real* out;
  Real* root;

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    weir::Lanes<Real, Count> a, b, c, root_of_a;
    __builtin_memcpy(&a, left + i, sizeof(a));
    __builtin_memcpy(&b, right + i, sizeof(b));
    __builtin_memcpy(&c, addend + i, sizeof(c));
    weir::detail::square_root<Real, Count>(a, root_of_a);
    weir::detail::multiply_add(a, b, c, c);
    __builtin_memcpy(out + i, &c, sizeof(c));
    __builtin_memcpy(root + i, &root_of_a, sizeof(c));
  }
};

template <class Real>
void check_arithmetic() {
  std::size_t const size = 1003;
  oracle::Numbers numbers(1);
  auto left = numbers.vector<Real>(size), right = numbers.vector<Real>(size), addend = right;
  for (std::size_t i = 0; i < size; ++i) {
    left[i] = std::abs(left[i]);
    // What a fused multiply-add would leave is the rounding error of the product.
    addend[i] = -oracle::times(left[i], right[i]);
  }
  left[7] = std::numeric_limits<Real>::infinity();
  left[8] = std::numeric_limits<Real>::denorm_min();
  left[9] = Real{0};
  std::vector<Real> out(size), root(size);
  using Kernel = weir::detail::Elementwise<Arithmetic<Real>>;
  with_each_width(
      0, size,
      [&] {
        out.assign(size, Real{77});
        root.assign(size, Real{77});
        return Kernel{{left.data(), right.data(), addend.data(), out.data(), root.data()}};
      },
      [&](char const* width) {
        CAPTURE(width);
        for (std::size_t i = 10; i < size; ++i) REQUIRE(out[i] == Real{0});
        for (std::size_t i = 0; i < size; ++i) REQUIRE(root[i] == std::sqrt(left[i]));
      });
}

}  // namespace

static_assert(sizeof(weir::Lanes<float, 16>) == 64);
static_assert(std::is_same_v<weir::Lanes<double, 1>, double>);

TEST_CASE(
    "a product is rounded before it is added to, and roots are correctly rounded, in lanes of any count") {
  check_arithmetic<float>();
  check_arithmetic<double>();
}
