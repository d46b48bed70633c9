#pragma once

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "errors.hpp"

namespace weir_train {

/// Refuses the value of an option.
[[noreturn]] inline void refuse_value(std::string const& option, std::string const& value,
                                      std::string const& right) {
  throw UsageError(option + " " + (value.empty() ? "\"\"" : value) + ": " + right + " would be right");
}

/// Reads a whole number from `least` to `most`.
template <class Integer = std::size_t>
Integer parse_integer(std::string const& option, std::string const& value, Integer least,
                      Integer most = std::numeric_limits<Integer>::max()) {
  Integer number = 0;
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size() && number >= least && number <= most)
    return number;
  std::string const range = least != 0 && most == std::numeric_limits<Integer>::max()
                                ? "of at least " + std::to_string(least)
                                : "from " + std::to_string(least) + " to " + std::to_string(most);
  refuse_value(option, value, "a whole number " + range);
}

/// Reads a number of the given range, `right` in words.
template <class IsRight>
double parse_real(std::string const& option, std::string const& value, IsRight is_right,
                  std::string const& right) {
  double number = 0;
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size() && std::isfinite(number) && is_right(number))
    return number;
  refuse_value(option, value, right);
}

/// "a, b or c"
inline std::string listed(std::vector<std::string> const& words, char const* last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != 0) text += i + 1 < words.size() ? ", " : std::string(" ") + last + " ";
    text += words[i];
  }
  return text;
}

inline std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts(1);
  for (char const c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace weir_train
