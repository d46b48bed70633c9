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

namespace detail {

constexpr void check_twin_order(std::uint64_t order) {
  check_parameter("order", order, "a twin prime design needs odd prime powers q and q + 2", is_twin_order,
                  0xfffe);
}

/// Which pairs the difference set of twin prime powers holds.
class TwinPairs {
 public:
  constexpr explicit TwinPairs(std::uint64_t order) {
    check_twin_order(order);
    first_ = powers_in(GaloisField(order), 2);
    second_ = powers_in(GaloisField(order + 2), 2);
  }
  constexpr std::uint32_t first_order() const { return static_cast<std::uint32_t>(first_.size()); }
  constexpr std::uint32_t second_order() const { return static_cast<std::uint32_t>(second_.size()); }
  constexpr bool holds(std::uint32_t x, std::uint32_t y) const {
    return y == 0 || (x != 0 && first_[x] == second_[y]);
  }

 private:
  std::vector<std::uint8_t> first_ = {};  // whether each element is a nonzero square
  std::vector<std::uint8_t> second_ = {};
};

}  // namespace detail

/// The pairs (x, 0), and those of x and y other than 0 of which both are squares or neither is.
/// Errors: ContractViolation unless q and q + 2 are odd prime powers.
constexpr std::vector<std::uint32_t> twin_prime_set(std::uint64_t order) {
  detail::TwinPairs const pairs(order);
  std::vector<std::uint32_t> set;
  for (std::uint32_t x = 0; x < pairs.first_order(); ++x) {
    for (std::uint32_t y = 0; y < pairs.second_order(); ++y) {
      if (pairs.holds(x, y)) set.push_back(x * pairs.second_order() + y);
    }
  }
  return set;
}

/// Whether the group of the pairs is that of the integers modulo q(q+2).
constexpr bool is_cyclic_twin_order(std::uint64_t order) {
  return is_twin_order(order) && is_prime(order) && is_prime(order + 2);
}

/// The same set of twin primes as a difference set modulo q(q+2): a pair is the number that leaves x divided
/// by q and y divided by q+2.
/// Errors: ContractViolation unless q and q + 2 are odd primes.
constexpr std::vector<std::uint32_t> cyclic_twin_prime_set(std::uint64_t order) {
  detail::check_parameter("order", order, "a cyclic twin prime design needs odd primes q and q + 2",
                          is_cyclic_twin_order, 0xfffe);
  detail::TwinPairs const pairs(order);
  std::uint32_t const v = pairs.first_order() * pairs.second_order();
  std::vector<std::uint32_t> set;
  for (std::uint32_t number = 0; number < v; ++number) {
    if (pairs.holds(number % pairs.first_order(), number % pairs.second_order())) set.push_back(number);
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
