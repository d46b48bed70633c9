#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weir::inline v1 {

namespace detail {

/// For one line of an error, whatever the bytes are.
inline std::string quoted(std::string_view text) {
  constexpr std::size_t most = 60;
  std::string result = "\"";
  for (char const c : text.substr(0, most)) result += ' ' <= c && c <= '~' ? c : '?';
  return result + (text.size() > most ? "..\"" : "\"");
}

}  // namespace detail

/// The text of a table is not one. Names the row, the cell, and what would be right.
class TableFileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  TableFileError(std::size_t row, std::string_view cell, std::string const& expected)
      : std::runtime_error("row " + std::to_string(row) + ", cell " + detail::quoted(cell) + ": " + expected +
                           " would be right") {}
};

namespace detail {

/// Walks through the lines of a text, or the cells of a line. What separates them does not end them: "a," is
/// two.
class Split {
 public:
  Split(std::string_view text, char separator) : rest_(text), separator_(separator) {}

  /// The next part, without blanks around it. Returns whether there is one.
  bool next(std::string_view& part) {
    if (is_done_) return false;
    std::size_t const end = rest_.find(separator_);
    part = trimmed(rest_.substr(0, end));
    if (end == std::string_view::npos) {
      is_done_ = true;
    } else {
      rest_.remove_prefix(end + 1);
    }
    return true;
  }

  static std::string_view trimmed(std::string_view text) {
    auto const is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
  }

 private:
  std::string_view rest_;
  char separator_;
  bool is_done_ = false;
};

/// Without the empty lines at the end.
inline std::string_view without_empty_end(std::string_view text) {
  auto const is_blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace detail

}  // namespace weir::inline v1
