#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/core/smaller.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1::detail {

inline constexpr std::uint64_t largest_group_order = 0xffff;

/// Refuses what is no order of a group design, or one that does not go into a shape, which may be that of a
/// grid of tiles.
inline void check_group_order(std::uint64_t order, std::size_t outputs, std::size_t inputs, bool has_tiles) {
  std::size_t const most = smaller(smaller(outputs, inputs), largest_group_order);
  if (order <= most) return static_cast<void>(checked_prime_power(order, most));
  std::string const shape =
      std::to_string(outputs) + " x " + std::to_string(inputs) + (has_tiles ? " tiles" : "");
  if (most < 2) {
    refuse_parameter("order", order,
                     "none goes into " + shape + "; leaving it out, for the full mask, would be right");
  }
  std::string const near = nearest(
      order, [](std::uint64_t q) { return bool{prime_power(q)}; }, most);
  refuse_parameter("order", order,
                   with_nearest("at most " + std::to_string(most) + " goes into " + shape, near));
}

/// order * order * lambda, the side of a whole group design.
inline std::size_t checked_group_side(std::uint64_t order, std::uint64_t lambda) {
  if (order > largest_group_order) {
    auto const fits = [lambda](std::uint64_t q) {
      PrimePower const power = prime_power(q);
      return power && is_power_of(lambda, power.prime) && q * q <= largest_number / lambda;
    };
    refuse_parameter("order", order, with_nearest("too large", nearest(order, fits, largest_group_order)));
  }
  std::uint32_t const prime = checked_prime_power(order, largest_group_order).prime;
  std::uint64_t const most = largest_number / (order * order);
  if (lambda <= most && is_power_of(lambda, prime)) return order * order * lambda;
  std::string const with_order = "with order " + std::to_string(order);
  refuse_parameter("lambda", lambda,
                   with_nearest(is_power_of(lambda, prime)
                                    ? "too large " + with_order
                                    : with_order + " a power of " + std::to_string(prime) + " would be right",
                                nearest_power(lambda, prime, most)));
}

/// Levels between 1 and n - 1 are there for powers of two only.
inline std::uint32_t checked_group_levels(std::uint32_t order, std::uint32_t levels) {
  if (levels == 1 || levels == order - 1 || prime_power(order).prime == 2) return levels;
  std::string const n = std::to_string(order);
  std::string const powers = nearest_of(
      order, 15, [](std::uint64_t i) { return std::uint64_t{2} << i; }, [](std::uint64_t) { return true; });
  refuse_parameter("order", order,
                   "only densities 1/" + n + " and " + std::to_string(order - 1) + "/" + n +
                       " are possible; for others a power of two would be right (nearest: " + powers + ")");
}

}  // namespace weir::inline v1::detail
