#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// An exact fraction of 64-bit integers in lowest terms.
///
/// Errors: ContractViolation from whatever does not fit, and from a denominator of 0.
class Rational {
 public:
  constexpr Rational() = default;
  constexpr Rational(std::int64_t value) : numerator_(value) {}
  constexpr Rational(std::int64_t numerator, std::int64_t denominator)
      : Rational(reduced(numerator, denominator)) {}

  constexpr std::int64_t numerator() const { return numerator_; }
  constexpr std::int64_t denominator() const { return denominator_; }
  constexpr double value() const {
    return static_cast<double>(numerator_) / static_cast<double>(denominator_);
  }

  friend constexpr bool operator==(Rational const&, Rational const&) = default;
  friend constexpr std::strong_ordering operator<=>(Rational const& left, Rational const& right) {
    return Wide{left.numerator_} * right.denominator_ <=> Wide{right.numerator_} * left.denominator_;
  }

  friend constexpr Rational operator+(Rational const& left, Rational const& right) {
    return reduced(Wide{left.numerator_} * right.denominator_ + Wide{right.numerator_} * left.denominator_,
                   Wide{left.denominator_} * right.denominator_);
  }
  friend constexpr Rational operator-(Rational const& left, Rational const& right) {
    return reduced(Wide{left.numerator_} * right.denominator_ - Wide{right.numerator_} * left.denominator_,
                   Wide{left.denominator_} * right.denominator_);
  }
  friend constexpr Rational operator*(Rational const& left, Rational const& right) {
    return reduced(Wide{left.numerator_} * right.numerator_, Wide{left.denominator_} * right.denominator_);
  }
  friend constexpr Rational operator/(Rational const& left, Rational const& right) {
    return reduced(Wide{left.numerator_} * right.denominator_, Wide{left.denominator_} * right.numerator_);
  }
  constexpr Rational& operator+=(Rational const& other) { return *this = *this + other; }

 private:
  __extension__ typedef __int128 Wide;

  static constexpr Rational reduced(Wide numerator, Wide denominator) {
    if (denominator == 0) throw ContractViolation("Rational: the denominator is 0; any other would be right");
    if (denominator < 0) {
      numerator = -numerator;
      denominator = -denominator;
    }
    Wide a = numerator < 0 ? -numerator : numerator;
    Wide b = denominator;
    while (b != 0) {
      Wide const rest = a % b;
      a = b;
      b = rest;
    }
    Rational result;
    result.numerator_ = narrowed(numerator / a);
    result.denominator_ = narrowed(denominator / a);
    return result;
  }

  static constexpr std::int64_t narrowed(Wide value) {
    if (value > INT64_MAX || value < -INT64_MAX)
      throw ContractViolation("Rational: a number does not fit in 64 bits; smaller ones would be right");
    return static_cast<std::int64_t>(value);
  }

  std::int64_t numerator_ = 0;
  std::int64_t denominator_ = 1;
};

/// "57/2", "57" or "-1/3".
inline std::string text(Rational const& number) {
  std::string const numerator = std::to_string(number.numerator());
  return number.denominator() == 1 ? numerator : numerator + "/" + std::to_string(number.denominator());
}

/// Reads "57", "57/2", "28.5" or "-1", exactly. Returns whether it is one and fits.
constexpr bool read_rational(std::string_view text, Rational& result) {
  bool const is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  std::int64_t parts[2] = {0, 1};  // before and behind the slash
  std::size_t digits[2] = {0, 0};
  std::int64_t unit = 1;  // of the last decimal
  std::size_t part = 0;
  bool has_point = false;
  for (char const character : text) {
    if (character == '/' && part == 0 && !has_point) {
      part = 1;
      parts[1] = 0;
    } else if (character == '.' && part == 0 && !has_point) {
      has_point = true;
    } else if (character >= '0' && character <= '9') {
      std::int64_t& value = parts[part];
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, character - '0', &value))
        return false;
      if (has_point && __builtin_mul_overflow(unit, 10, &unit)) return false;
      ++digits[part];
    } else {
      return false;
    }
  }
  if (digits[0] == 0 || (part == 1 && digits[1] == 0) || parts[1] == 0) return false;
  result = Rational(is_negative ? -parts[0] : parts[0], part == 1 ? parts[1] : unit);
  return true;
}

}  // namespace weir::inline v1
