#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"

namespace weir::inline v1 {

// The mathematical functions that results with promised bits go through. The standard library's differ
// between versions, and a compiler may fuse a multiplication with an addition or not; here every
// multiplication that feeds an addition is a `rounded_product`, so the bits depend on the argument only.

namespace detail {

// Named here, because device code may not call the functions of <limits>.
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double largest_double = std::numeric_limits<double>::max();
inline constexpr double smallest_normal_double = std::numeric_limits<double>::min();

/// ln 2 in two parts; the first times any exponent of a double is exact.
inline constexpr double ln_2_high = 0x1.62e42feep-1;
inline constexpr double ln_2_low = 0x1.a39ef35793c76p-33;

/// c[0] + x c[1] + x^2 c[2] + ...
template <std::size_t count>
WEIR_HOST_DEVICE constexpr double polynomial(double x, double const (&coefficients)[count]) {
  double sum = coefficients[count - 1];
  for (std::size_t i = count - 1; i-- > 0;) sum = coefficients[i] + rounded_product(sum, x);
  return sum;
}

/// A sum and what its rounding lost.
struct ExactSum {
  double sum;
  double lost;
};

WEIR_HOST_DEVICE constexpr ExactSum exact_sum(double left, double right) {
  double const sum = left + right;
  double const from_right = sum - left;
  return {sum, (left - (sum - from_right)) + (right - from_right)};
}

/// 2^power for the exponents of normal numbers.
WEIR_HOST_DEVICE constexpr double power_of_two(int power) {
  return __builtin_bit_cast(double, static_cast<std::uint64_t>(power + 1023) << 52);
}

/// value * 2^power, rounded once.
WEIR_HOST_DEVICE constexpr double scaled(double value, int power) {
  int const first = power / 2;
  return rounded_product(rounded_product(value, power_of_two(first)), power_of_two(power - first));
}

/// e^x as 2^power (1 + high + low), where |high| <= ln(2)/2.
struct Exponential {
  int power;
  double high;
  double low;
};

WEIR_HOST_DEVICE constexpr Exponential exponential(double x) {
  constexpr double one_over_ln_2 = 0x1.71547652b82fep+0;
  constexpr double taylor[] = {1.0 / 2,          1.0 / 6,        1.0 / 24,        1.0 / 120,
                               1.0 / 720,        1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                               1.0 / 3628800,    1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800,
                               1.0 / 87178291200};

  int const power = static_cast<int>(rounded_product(x, one_over_ln_2) + (x < 0 ? -0.5 : 0.5));
  double const nearby = x - rounded_product(static_cast<double>(power), ln_2_high);
  double const correction = rounded_product(static_cast<double>(power), ln_2_low);
  double const rest = nearby - correction;
  double const lost = (nearby - rest) - correction;
  double const curved = rounded_product(rounded_product(rest, rest), polynomial(rest, taylor));
  return {power, rest, curved + (lost + rounded_product(lost, rest))};
}

}  // namespace detail

/// The natural logarithm, off by less than one unit in the last place. Same bits on every host and on the
/// device.
///
/// -infinity at zero, NaN below.
WEIR_HOST_DEVICE constexpr double ln(double x) {
  constexpr std::uint64_t root_of_half = 0x3fe6'a09e'667f'3bcd;
  constexpr double series[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11,
                               2.0 / 13, 2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21};

  if (x != x) return x;
  if (x < 0) return detail::not_a_number;
  if (x == 0) return -detail::infinity;
  if (x > detail::largest_double) return x;

  bool const is_subnormal = x < detail::smallest_normal_double;
  std::uint64_t const bits = __builtin_bit_cast(std::uint64_t, is_subnormal ? x * 0x1p54 : x);
  // x = 2^power (1 + f), where 1 + f lies between the roots of 1/2 and of 2.
  std::int64_t const power = static_cast<std::int64_t>(bits - root_of_half) >> 52;
  double const f = __builtin_bit_cast(double, bits - (static_cast<std::uint64_t>(power) << 52)) - 1;
  double const exponent = static_cast<double>(power - (is_subnormal ? 54 : 0));

  // With s = f/(2+f): ln(1+f) = 2 artanh(s) = 2s + s(2/3 s^2 + 2/5 s^4 + ...), and 2s = f - sf.
  double const s = f / (2 + f);
  double const square = rounded_product(s, s);
  double const tail = rounded_product(square, detail::polynomial(square, series));
  detail::ExactSum const leading = detail::exact_sum(rounded_product(exponent, detail::ln_2_high), f);
  double const small = rounded_product(exponent, detail::ln_2_low) - rounded_product(s, f - tail);
  return leading.sum + (leading.lost + small);
}

/// e to the power of x, off by less than one unit in the last place. Same bits on every host and on the
/// device.
WEIR_HOST_DEVICE constexpr double exp(double x) {
  if (x != x) return x;
  if (x > 710) return detail::infinity;
  if (x < -746) return 0;
  detail::Exponential const e = detail::exponential(x);
  return detail::scaled(1 + (e.high + e.low), e.power);
}

/// e to the power of x, minus 1, exact to less than one unit in the last place near zero as well. Same bits
/// on every host and on the device.
WEIR_HOST_DEVICE constexpr double expm1(double x) {
  if (x != x) return x;
  if (x > 710) return detail::infinity;
  if (x < -40) return -1;
  if (-0x1p-54 < x && x < 0x1p-54) return x;
  detail::Exponential const e = detail::exponential(x);
  double const one = e.power < 1000 ? detail::power_of_two(-e.power) : 0;
  detail::ExactSum const offset = detail::exact_sum(1, -one);
  detail::ExactSum const leading = detail::exact_sum(offset.sum, e.high);
  return detail::scaled(leading.sum + (leading.lost + offset.lost + e.low), e.power);
}

}  // namespace weir::inline v1
