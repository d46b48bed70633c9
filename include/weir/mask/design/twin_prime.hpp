#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "weir/mask/design/developed.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/galois_field.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {

constexpr bool is_twin_order(std::uint64_t order) {
  return order % 2 == 1 && order < 0xffff && prime_power(order) && prime_power(order + 2);
}

/// The pairs (x, 0), and those of x and y other than 0 of which both are squares or neither is.
/// Errors: ContractViolation unless q and q + 2 are odd prime powers.
constexpr std::vector<std::uint32_t> twin_prime_set(std::uint64_t order) {
  detail::check_parameter("order", order, "a twin prime design needs odd prime powers q and q + 2",
                          is_twin_order);
  std::vector<std::uint8_t> const first = detail::powers_in(GaloisField(order), 2);
  std::vector<std::uint8_t> const second = detail::powers_in(GaloisField(order + 2), 2);
  std::vector<std::uint32_t> set;
  for (std::uint32_t x = 0; x < first.size(); ++x) {
    for (std::uint32_t y = 0; y < second.size(); ++y) {
      bool const is_in = y == 0 || (x != 0 && first[x] == second[y]);
      if (is_in) set.push_back(x * static_cast<std::uint32_t>(second.size()) + y);
    }
  }
  return set;
}

/// The design of v = q(q+2) with k = (v-1)/2 and lambda = (v-3)/4 from twin prime powers q and q+2.
/// Source: [stanton1958].
class TwinPrimeDesign : public DevelopedDesign<PairAddition> {
 public:
  constexpr explicit TwinPrimeDesign(std::uint64_t order) : TwinPrimeDesign(order, twin_prime_set(order)) {}

 private:
  constexpr TwinPrimeDesign(std::uint64_t order, std::vector<std::uint32_t> set)
      : DevelopedDesign(PairAddition{GaloisField(order), GaloisField(order + 2)}, std::move(set)) {}
};

}  // namespace weir::inline v1
