#pragma once

#include <limits>
#include <string>

#include "weir/core/error.hpp"

namespace weir::inline v1::detail {

/// False for NaN and infinity.
constexpr bool is_finite(double number) {
  constexpr double largest = std::numeric_limits<double>::max();
  return number >= -largest && number <= largest;
}

/// Refuses an option that can only be a mistake. `right` ends the sentence "it has to be ..".
inline void check_option(bool is_right, char const* owner, char const* option, double value,
                         char const* right) {
  if (is_right) return;
  throw ContractViolation(std::string(owner) + ": " + option + " is " + std::to_string(value) +
                          ", it has to be " + right);
}

/// Of learning rates, decays and the like.
inline void check_not_negative(char const* owner, char const* option, double value) {
  check_option(is_finite(value) && value >= 0.0, owner, option, value, "finite and at least 0");
}

/// Of scales.
inline void check_positive(char const* owner, char const* option, double value) {
  check_option(is_finite(value) && value > 0.0, owner, option, value, "finite and above 0");
}

/// Of factors by which a past is remembered.
inline void check_memory(char const* owner, char const* option, double value) {
  check_option(value >= 0.0 && value < 1.0, owner, option, value, "at least 0 and below 1");
}

}  // namespace weir::inline v1::detail
