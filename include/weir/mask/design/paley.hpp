#pragma once

#include <cstdint>
#include <vector>

#include "weir/mask/design/developed.hpp"
#include "weir/mask/galois_field.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {
namespace detail {

/// Whether each element is a nonzero power of g^step.
constexpr std::vector<std::uint8_t> powers_in(GaloisField const& field, std::uint32_t step) {
  std::vector<std::uint8_t> holds(field.order(), 0);
  std::uint32_t const factor = field.power(field.generator(), step);
  std::uint32_t element = 1;
  for (std::uint32_t i = 0; i < (field.order() - 1) / step; ++i) {
    holds[element] = 1;
    element = field.multiply(element, factor);
  }
  return holds;
}

constexpr std::vector<std::uint32_t> listed(std::vector<std::uint8_t> const& holds) {
  std::vector<std::uint32_t> elements;
  for (std::uint32_t i = 0; i < holds.size(); ++i) {
    if (holds[i] != 0) elements.push_back(i);
  }
  return elements;
}

}  // namespace detail

constexpr bool is_paley_order(std::uint64_t order) {
  return order >= 7 && order % 4 == 3 && prime_power(order);
}

namespace detail {

constexpr void check_paley_order(std::uint64_t order) {
  check_parameter("order", order, "a Paley design needs a prime power of the form 4i + 3, at least 7",
                  is_paley_order);
}

}  // namespace detail

/// The nonzero squares of GF(q). Where q is a prime, a difference set modulo q.
/// Errors: ContractViolation unless q is a prime power of the form 4i + 3, at least 7.
constexpr std::vector<std::uint32_t> paley_set(std::uint64_t order) {
  detail::check_paley_order(order);
  return detail::listed(detail::powers_in(GaloisField(order), 2));
}

/// The design (q, q, (q-1)/2, (q-1)/2, (q-3)/4) whose row i holds i plus each nonzero square of GF(q).
/// Source: [paley1933].
class PaleyDesign : public DevelopedDesign<FieldAddition> {
 public:
  constexpr explicit PaleyDesign(std::uint64_t order)
      : DevelopedDesign(FieldAddition{GaloisField(order)}, paley_set(order)) {}
};

}  // namespace weir::inline v1
