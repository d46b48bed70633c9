#pragma once

#include <cstdint>
#include <string>

#include "weir/core/error.hpp"
#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// prime^exponent; {0, 0} for what is none.
struct PrimePower {
  std::uint32_t prime = 0;
  std::uint32_t exponent = 0;

  constexpr explicit operator bool() const { return prime != 0; }
};

/// The smallest prime that divides `number` (at least 2). Cost: O(sqrt(number)).
WEIR_HOST_DEVICE constexpr std::uint64_t smallest_factor(std::uint64_t number) {
  for (std::uint64_t factor = 2; factor <= number / factor; factor += factor == 2 ? 1 : 2) {
    if (number % factor == 0) return factor;
  }
  return number;
}

constexpr bool is_prime(std::uint64_t number) {
  return number >= 2 && smallest_factor(number) == number;
}

constexpr PrimePower prime_power(std::uint64_t number) {
  if (number < 2 || number > 0xffff'ffff) return {};
  std::uint64_t const prime = smallest_factor(number);
  PrimePower power = {static_cast<std::uint32_t>(prime), 0};
  for (; number % prime == 0; number /= prime) ++power.exponent;
  return number == 1 ? power : PrimePower{};
}

/// base^exponent modulo `modulus` (below 2^32).
WEIR_HOST_DEVICE constexpr std::uint64_t power_modulo(std::uint64_t base, std::uint64_t exponent,
                                                      std::uint64_t modulus) {
  std::uint64_t power = 1 % modulus;
  for (base %= modulus; exponent != 0; exponent >>= 1) {
    if (exponent & 1) power = power * base % modulus;
    base = base * base % modulus;
  }
  return power;
}

namespace detail {

/// "5, 7": the numbers of a kind that lie nearest to one that is not, below and above.
template <class IsRight>
std::string nearest(std::uint64_t number, IsRight is_right, std::uint64_t reach = 1u << 20) {
  std::string text;
  for (std::uint64_t below = number; below-- > 1 && number - below <= reach;) {
    if (!is_right(below)) continue;
    text = std::to_string(below);
    break;
  }
  for (std::uint64_t above = number + 1; above - number <= reach && above != 0; ++above) {
    if (!is_right(above)) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(above);
    break;
  }
  return text;
}

/// Refuses a parameter: "order 6: not a prime power (nearest: 5, 7)". The name is that of the option of
/// weir-design.
[[noreturn]] inline void refuse_parameter(char const* name, std::uint64_t value, std::string const& why) {
  throw ContractViolation(std::string(name) + " " + std::to_string(value) + ": " + why);
}

/// The reason, and the nearest that would be right, if they are near.
template <class IsRight>
std::string with_nearest(char const* why, std::uint64_t value, IsRight is_right) {
  std::string const near = nearest(value, is_right);
  return why + (near.empty() ? "" : " (nearest: " + near + ")");
}

template <class IsRight>
constexpr void check_parameter(char const* name, std::uint64_t value, char const* why, IsRight is_right) {
  if (!is_right(value)) refuse_parameter(name, value, with_nearest(why, value, is_right));
}

constexpr PrimePower checked_prime_power(std::uint64_t order) {
  check_parameter("order", order, "not a prime power",
                  [](std::uint64_t q) { return static_cast<bool>(prime_power(q)); });
  return prime_power(order);
}

}  // namespace detail
}  // namespace weir::inline v1
