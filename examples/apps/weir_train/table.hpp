#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

namespace weir_train {

using TableRows = std::vector<std::vector<std::string>>;

inline std::string formatted(char const* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// With a comma after each three digits.
inline std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

/// The first column to the left, the others to the right. At least one row.
inline std::string aligned(TableRows const& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (auto const& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string lines;
  for (auto const& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string const blank(widths[i] - row[i].size(), ' ');
      lines += i == 0 ? row[i] + blank : "  " + blank + row[i];
    }
    lines += '\n';
  }
  return lines;
}

}  // namespace weir_train
