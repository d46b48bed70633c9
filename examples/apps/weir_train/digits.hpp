#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dataset.hpp"
#include "errors.hpp"
#include "read_file.hpp"

namespace weir_train {

/// The bundled handwritten digits: 1,797 rows of 64 pixels from 0 to 16 and a label. The last 360 are the
/// test set. Errors: `RunError` that names file and line.
class Digits {
 public:
  static constexpr std::size_t rows = 1797;
  static constexpr std::size_t test_rows = 360;

  static Dataset load(std::string const& path) {
    auto const parse_text = [&](std::string const& text) { return parse(path, text); };
    Dataset data{.train = read_file(path, parse_text), .test = {}};
    data.test = data.train.split_off(test_rows);
    return data;
  }

  static Images parse(std::string const& path, std::string_view text) {
    Images images{.shape = {8, 8, 1}, .scale = 1.0f / 16.0f};
    std::size_t line = 0;
    while (!text.empty()) {
      std::size_t const end = std::min(text.find('\n'), text.size());
      parse_row(path, ++line, text.substr(0, end), images);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (line != rows) {
      throw RunError(path + ": " + std::to_string(line) + " rows; " + std::to_string(rows) +
                     " would be right");
    }
    return images;
  }

 private:
  static void parse_row(std::string const& path, std::size_t line, std::string_view row, Images& images) {
    auto const refuse = [&](std::size_t column, std::string const& what) {
      throw RunError(path + ":" + std::to_string(line) + ": column " + std::to_string(column) + ": " + what);
    };
    if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
    std::size_t const columns = images.shape.size() + 1;
    char const* at = row.data();
    char const* const end = at + row.size();
    for (std::size_t column = 1; column <= columns; ++column) {
      bool const is_label = column == columns;
      unsigned value = 0;
      auto const [next, error] = std::from_chars(at, end, value);
      if (error != std::errc() || value > (is_label ? 9u : 16u)) {
        std::string_view const rest(at, static_cast<std::size_t>(end - at));
        refuse(column, '"' + std::string(rest.substr(0, std::min<std::size_t>(rest.find(','), 20))) + "\"; " +
                           (is_label ? "a label from 0 to 9" : "a pixel from 0 to 16") + " would be right");
      }
      (is_label ? images.labels : images.pixels).push_back(static_cast<std::uint8_t>(value));
      at = next;
      if (is_label ? at != end : at == end || *at != ',') {
        refuse(column, std::string(is_label ? "more columns follow; " : "no comma follows; ") +
                           std::to_string(columns) + " columns would be right");
      }
      if (!is_label) ++at;
    }
  }
};

}  // namespace weir_train
