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

/// The largest prime power whose power is at most `limit`.
inline std::string largest_order(std::uint64_t exponent, std::uint64_t limit) {
  std::uint64_t order = 2;
  while (limited_power(order + 1, exponent, limit) <= limit) ++order;
  while (!prime_power(order)) --order;
  return std::to_string(order);
}

constexpr void check_dimension(std::uint64_t order, std::uint64_t dimension, std::uint64_t exponent,
                               std::uint64_t limit) {
  if (dimension < 2) refuse_parameter("dimension", dimension, "2 or more would be right");
  if (limited_power(order, exponent, limit) <= limit) return;
  std::uint64_t most = exponent;
  while (most > 0 && limited_power(order, most, limit) > limit) --most;
  std::uint64_t const largest = most + dimension < exponent ? 0 : most + dimension - exponent;
  if (largest < 2) {
    refuse_parameter("order", order,
                     "too large for a design of dimension 2 (nearest: " +
                         largest_order(exponent - dimension + 2, limit) + ")");
  }
  refuse_parameter(
      "dimension", dimension,
      "too large with order " + std::to_string(order) + " (nearest: " + std::to_string(largest) + ")");
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
    static_cast<void>(detail::checked_prime_power(order));
    detail::check_dimension(order, dimension, dimension + 1, 0xffff'ffff);
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
