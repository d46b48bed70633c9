#pragma once

#include <cstdint>
#include <vector>

#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/galois_field.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {
namespace detail {

/// Whether order = 4x^2 + rest with an odd x.
constexpr bool is_four_odd_squares_and(std::uint64_t order, std::uint64_t rest) {
  if (order < rest || (order - rest) % 4 != 0) return false;
  std::uint64_t const square = (order - rest) / 4;
  std::uint64_t const x = integer_root(square);
  return x % 2 == 1 && x * x == square;
}

}  // namespace detail

constexpr bool is_quartic_order(std::uint64_t order) {
  if (order <= 5 || order > detail::largest_number) return false;
  bool const has_form =
      detail::is_four_odd_squares_and(order, 1) || detail::is_four_odd_squares_and(order, 9);
  return has_form && is_prime(order);
}

namespace detail {

constexpr void check_quartic_order(std::uint64_t order) {
  check_parameter("order", order,
                  "a quartic residue design needs a prime 4x^2 + 1 above 5 or 4x^2 + 9, x odd",
                  is_quartic_order);
}

}  // namespace detail

/// The cyclic design of the nonzero fourth powers modulo p: p = 4x^2 + 1 > 5 gives k = (p-1)/4 and lambda =
/// (p-5)/16; p = 4x^2 + 9, with 0 added, k = (p+3)/4 and lambda = (p+3)/16; x odd.
///
/// Errors: ContractViolation where p is no such prime.
class QuarticResidueDesign : public CyclicDesign {
 public:
  constexpr explicit QuarticResidueDesign(std::uint64_t order)
      : CyclicDesign(static_cast<std::uint32_t>(order), set_of(order)) {}

 private:
  static constexpr std::vector<std::uint32_t> set_of(std::uint64_t order) {
    detail::check_quartic_order(order);
    std::vector<std::uint8_t> holds = detail::powers_in(GaloisField(order), 4);
    holds[0] = detail::is_four_odd_squares_and(order, 9) ? 1 : 0;
    return detail::listed(holds);
  }
};

}  // namespace weir::inline v1
