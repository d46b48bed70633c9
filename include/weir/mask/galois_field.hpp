#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {

/// The field of q = p^m elements. An element is a number below q whose digits to the base p are the
/// coefficients of a polynomial, the lowest one the constant term. The modulus is the numerically smallest
/// monic primitive polynomial, so that masks are the same everywhere.
///
/// Cost: an addition O(m), a multiplication O(m^2), both O(1) for m = 1; with p = 2 O(1) and O(m). No tables.
/// Errors: ContractViolation where q is not a prime power.
class GaloisField {
 public:
  constexpr explicit GaloisField(std::uint64_t order)
      : GaloisField(static_cast<std::uint32_t>(order), detail::checked_prime_power(order)) {}

  WEIR_HOST_DEVICE constexpr std::uint32_t order() const { return order_; }
  WEIR_HOST_DEVICE constexpr std::uint32_t prime() const { return prime_; }
  WEIR_HOST_DEVICE constexpr std::uint32_t degree() const { return degree_; }
  /// The modulus, its leading coefficient included; 0 for m = 1.
  WEIR_HOST_DEVICE constexpr std::uint64_t modulus() const { return degree_ == 1 ? 0 : order_ + tail_; }
  /// A generator of the multiplicative group: x, or for m = 1 the smallest primitive root.
  WEIR_HOST_DEVICE constexpr std::uint32_t generator() const { return generator_; }

  WEIR_HOST_DEVICE constexpr std::uint32_t add(std::uint32_t a, std::uint32_t b) const {
    if (prime_ == 2) return a ^ b;
    if (degree_ == 1) return sum(a, b);
    return plus_multiple(a, 1, b);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t subtract(std::uint32_t a, std::uint32_t b) const {
    if (prime_ == 2) return a ^ b;
    if (degree_ == 1) return difference(a, b);
    return plus_multiple(a, prime_ - 1, b);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) const {
    if (degree_ == 1) return product(a, b);
    std::uint32_t result = 0;
    for (std::uint32_t digit = order_ / prime_; digit != 0; digit /= prime_) {
      result = add(times_x(result), times_number(a, b / digit % prime_));
    }
    return result;
  }
  /// a * x, for m > 1.
  WEIR_HOST_DEVICE constexpr std::uint32_t times_x(std::uint32_t a) const {
    std::uint32_t const top = order_ / prime_;
    return subtract(a % top * prime_, times_number(tail_, a / top));
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t power(std::uint32_t base, std::uint64_t exponent) const {
    std::uint32_t result = 1;
    for (; exponent != 0; exponent >>= 1) {
      if (exponent & 1) result = multiply(result, base);
      base = multiply(base, base);
    }
    return result;
  }
  /// 1 / a, for a other than 0.
  WEIR_HOST_DEVICE constexpr std::uint32_t inverse(std::uint32_t a) const { return power(a, order_ - 2u); }

 private:
  constexpr GaloisField(std::uint32_t order, PrimePower power)
      : order_(order), prime_(power.prime), degree_(power.exponent) {
    if (degree_ == 1) {
      for (generator_ = 1; !is_generator(generator_);) ++generator_;
      return;
    }
    generator_ = prime_;
    for (tail_ = 1; !is_generator(generator_);) ++tail_;
  }

  /// Whether the powers of `a` are all elements but 0: then there is no zero divisor, and the modulus is
  /// primitive.
  constexpr bool is_generator(std::uint32_t a) const {
    std::uint32_t const size = order_ - 1;
    if (power(a, size) != 1) return false;
    for (std::uint64_t rest = size; rest > 1;) {
      std::uint64_t const factor = smallest_factor(rest);
      if (power(a, size / factor) == 1) return false;
      while (rest % factor == 0) rest /= factor;
    }
    return true;
  }

  WEIR_HOST_DEVICE constexpr std::uint32_t sum(std::uint32_t a, std::uint32_t b) const {
    return a < prime_ - b ? a + b : a - (prime_ - b);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t difference(std::uint32_t a, std::uint32_t b) const {
    return a >= b ? a - b : a + (prime_ - b);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t product(std::uint32_t a, std::uint32_t b) const {
    return static_cast<std::uint32_t>(std::uint64_t{a} * b % prime_);
  }
  WEIR_HOST_DEVICE constexpr std::uint32_t times_number(std::uint32_t a, std::uint32_t number) const {
    if (prime_ == 2) return number == 0 ? 0 : a;
    return plus_multiple(0, number, a);
  }
  /// a + number * b, digit by digit.
  WEIR_HOST_DEVICE constexpr std::uint32_t plus_multiple(std::uint32_t a, std::uint32_t number,
                                                         std::uint32_t b) const {
    std::uint32_t result = 0;
    std::uint32_t digit = 1;
    for (std::uint32_t i = 0; i < degree_; ++i, digit *= prime_) {
      result += sum(a % prime_, product(number, b % prime_)) * digit;
      a /= prime_;
      b /= prime_;
    }
    return result;
  }

  std::uint32_t order_;
  std::uint32_t prime_;
  std::uint32_t degree_;
  std::uint32_t tail_ = 0;  ///< the modulus without its leading coefficient
  std::uint32_t generator_ = 0;
};

}  // namespace weir::inline v1
