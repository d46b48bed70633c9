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

/// The largest number whose square is at most `number`.
constexpr std::uint64_t integer_root(std::uint64_t number) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit /= 2) {
    if ((root + bit) * (root + bit) <= number) root += bit;
  }
  return root;
}

/// "5, 7": of the numbers at(0) < at(1) < .. < at(count - 1) those nearest to another one, below and above,
/// that are right, times `unit`.
template <class At, class IsRight>
std::string nearest_of(std::uint64_t number, std::uint64_t count, At at, IsRight is_right,
                       std::uint64_t unit = 1) {
  std::uint64_t begin = 0;
  for (std::uint64_t end = count; begin < end;) {
    std::uint64_t const middle = begin + (end - begin) / 2;
    (at(middle) < number ? begin : end) = at(middle) < number ? middle + 1 : middle;
  }
  std::string text;
  for (std::uint64_t i = begin; i-- > 0;) {
    if (!is_right(at(i))) continue;
    text = std::to_string(at(i) * unit);
    break;
  }
  for (std::uint64_t i = begin; i < count; ++i) {
    if (at(i) == number || !is_right(at(i))) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(at(i) * unit);
    break;
  }
  return text;
}

inline constexpr std::uint64_t largest_number = 0xffff'ffff;

/// The same of the numbers from 1 to `most`.
template <class IsRight>
std::string nearest(std::uint64_t number, IsRight is_right, std::uint64_t most = largest_number,
                    std::uint64_t unit = 1) {
  return nearest_of(
      number, most, [](std::uint64_t i) { return i + 1; }, is_right, unit);
}

/// The same of the powers of a prime up to `most`.
inline std::string nearest_power(std::uint64_t number, std::uint64_t prime,
                                 std::uint64_t most = ~std::uint64_t{0}) {
  auto const power = [prime](std::uint64_t exponent) {
    std::uint64_t result = 1;
    for (; exponent != 0; --exponent) result *= prime;
    return result;
  };
  std::uint64_t count = most == 0 ? 0 : 1;
  for (std::uint64_t largest = 1; largest <= most / prime; largest *= prime) ++count;
  return nearest_of(number, count, power, [](std::uint64_t) { return true; });
}

constexpr bool is_power_of(std::uint64_t number, std::uint64_t prime) {
  while (number > 1 && number % prime == 0) number /= prime;
  return number == 1;
}

/// Refuses a parameter: "order 6: not a prime power (nearest: 5, 7)". The name is that of the option of
/// weir-design.
[[noreturn]] inline void refuse_parameter(char const* name, std::uint64_t value, std::string const& why) {
  throw ContractViolation(std::string(name) + " " + std::to_string(value) + ": " + why);
}

/// The reason, and the nearest that would be right, if there are any.
inline std::string with_nearest(std::string const& why, std::string const& near) {
  return near.empty() ? why : why + " (nearest: " + near + ")";
}

template <class IsRight>
constexpr void check_parameter(char const* name, std::uint64_t value, char const* why, IsRight is_right,
                               std::uint64_t most = largest_number) {
  if (!is_right(value)) {
    refuse_parameter(name, value,
                     with_nearest(value > most ? "too large" : why, nearest(value, is_right, most)));
  }
}

constexpr PrimePower checked_prime_power(std::uint64_t order, std::uint64_t most = largest_number) {
  check_parameter(
      "order", order, "not a prime power", [](std::uint64_t q) { return static_cast<bool>(prime_power(q)); },
      most);
  return prime_power(order);
}

}  // namespace detail
}  // namespace weir::inline v1
