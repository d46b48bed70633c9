#pragma once

#include <charconv>
#include <string>

namespace weir::inline v1::detail {

/// A number in the fewest digits from which the same comes back, whatever the locale.
inline std::string number_text(double value) {
  char digits[32];
  return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace weir::inline v1::detail
