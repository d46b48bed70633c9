#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/galois_field.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {
namespace detail {

/// base^exponent, or `limit + 1` beyond it.
constexpr std::uint64_t limited_power(std::uint64_t base, std::uint64_t exponent, std::uint64_t limit) {
  std::uint64_t power = 1;
  for (; exponent > 0; --exponent) {
    if (power > limit / base) return limit + 1;
    power *= base;
  }
  return power;
}

/// The largest exponent with which a number of at least 2 is at most `limit`.
constexpr std::uint64_t largest_exponent(std::uint64_t base, std::uint64_t limit) {
  std::uint64_t exponent = 0;
  for (std::uint64_t power = 1; power <= limit / base; power *= base) ++exponent;
  return exponent;
}

/// The field of a geometry has order^(dimension + more) elements.
constexpr void check_geometry(std::uint64_t order, std::uint64_t dimension, std::uint64_t more) {
  if (dimension < 2) refuse_parameter("dimension", dimension, "2 or more would be right");
  auto const fits = [more](std::uint64_t q, std::uint64_t n) {
    return prime_power(q) && largest_exponent(q, largest_number) >= more &&
           n <= largest_exponent(q, largest_number) - more;
  };
  std::uint64_t const exponent = order < 2 ? 32 : largest_exponent(order, largest_number);
  if (exponent < more + 2) {
    auto const is_right = [=](std::uint64_t q) { return fits(q, 2); };
    refuse_parameter("order", order,
                     with_nearest("too large for a design of dimension 2", nearest(order, is_right, 0xffff)));
  }
  if (!prime_power(order)) {
    auto const is_right = [=](std::uint64_t q) { return fits(q, dimension); };
    check_parameter("order", order, "not a prime power", is_right, 0xffff);
  }
  if (dimension > exponent - more) {
    refuse_parameter("dimension", dimension,
                     "too large with order " + std::to_string(order) +
                         " (nearest: " + std::to_string(exponent - more) + ")");
  }
}

}  // namespace detail

/// The points and hyperplanes of the projective geometry of a dimension over GF(q), as a cyclic design: the
/// exponents d < v of a generator w of GF(q^(n+1)) for which the trace of w^d in GF(q) is 0. Dimension 2 is
/// the projective plane.
///
/// Cost: of construction O(v) operations of GF(p) for each digit of an element.
/// Errors: ContractViolation where q is no prime power, n is below 2, or q^(n+1) is not below 2^32.
/// Source: [singer1938].
class ProjectiveGeometry : public CyclicDesign {
 public:
  constexpr explicit ProjectiveGeometry(std::uint64_t order, std::uint64_t dimension = 2)
      : ProjectiveGeometry(field_of(order, dimension), static_cast<std::uint32_t>(order)) {}

 private:
  constexpr ProjectiveGeometry(GaloisField const& field, std::uint32_t order)
      : CyclicDesign((field.order() - 1) / (order - 1), set_of(field, order)) {}

  static constexpr GaloisField field_of(std::uint64_t order, std::uint64_t dimension) {
    detail::check_geometry(order, dimension, 1);
    return GaloisField(detail::limited_power(order, dimension + 1, 0xffff'ffff));
  }

  static constexpr std::vector<std::uint32_t> set_of(GaloisField const& field, std::uint32_t order) {
    // The trace is linear over GF(p): that of an element is a sum of those of the powers of x.
    std::vector<std::uint32_t> traces;
    for (std::uint32_t unit = 1; traces.size() < field.degree(); unit *= field.prime())
      traces.push_back(trace(field, unit, order));
    std::vector<std::uint32_t> set;
    std::uint32_t element = 1;
    std::uint32_t const v = (field.order() - 1) / (order - 1);
    for (std::uint32_t exponent = 0; exponent < v; ++exponent) {
      std::uint32_t sum = 0;
      std::uint32_t digits = element;
      for (std::uint32_t const t : traces) {
        for (std::uint32_t i = 0; i < digits % field.prime(); ++i) sum = field.add(sum, t);
        digits /= field.prime();
      }
      if (sum == 0) set.push_back(exponent);
      element = field.times_x(element);
    }
    return set;
  }

  /// x + x^q + x^(q^2) + ...
  static constexpr std::uint32_t trace(GaloisField const& field, std::uint32_t element, std::uint32_t order) {
    std::uint32_t sum = 0;
    for (std::uint64_t size = 1; size < field.order(); size *= order) {
      sum = field.add(sum, element);
      element = field.power(element, order);
    }
    return sum;
  }
};

}  // namespace weir::inline v1
