#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dataset.hpp"
#include "errors.hpp"
#include "read_file.hpp"

namespace weir_train {

/// A text as pieces of 32 bytes, of which each has the next byte of the text as its label. The vocabulary are
/// the bytes that occur, in order. The last sixth is held out. Errors: `RunError` that names the file.
class Text {
 public:
  static constexpr std::size_t length = 32;

  static Dataset load(std::string const& path) {
    return read_file(path, [&](std::string const& text) { return parse(path, text); });
  }

  static Dataset parse(std::string const& path, std::string_view text) {
    constexpr std::size_t least = 6 * length + 1;
    if (text.size() < least) {
      throw RunError(path + ": " + std::to_string(text.size()) + " bytes; at least " + std::to_string(least) +
                     ", which are six pieces, would be right");
    }
    std::array<std::uint8_t, 256> tokens{};
    Dataset data{.train = {.shape = {length, 1, 1}, .classes = number(text, tokens), .labels_each = length},
                 .test = {}};
    for (std::size_t begin = 0; begin + length < text.size(); begin += length) {
      for (std::size_t at = begin; at < begin + length; ++at) {
        data.train.pixels.push_back(tokens[byte(text[at])]);
        data.train.labels.push_back(tokens[byte(text[at + 1])]);
      }
    }
    data.test = data.train.split_off(data.train.size() / 6);
    return data;
  }

 private:
  static std::uint8_t byte(char c) { return static_cast<std::uint8_t>(c); }

  /// Numbers the bytes that occur. Returns how many there are.
  static std::size_t number(std::string_view text, std::array<std::uint8_t, 256>& tokens) {
    std::array<bool, 256> occurs{};
    for (char const c : text) occurs[byte(c)] = true;
    std::size_t count = 0;
    for (std::size_t i = 0; i < occurs.size(); ++i) {
      if (occurs[i]) tokens[i] = static_cast<std::uint8_t>(count++);
    }
    return count;
  }
};

}  // namespace weir_train
