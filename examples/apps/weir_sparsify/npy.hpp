#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "weir/tensor/element_type.hpp"

// The .npy format of numpy, as far as gradients need it. Source: numpy.lib.format.

namespace weir_sparsify {

/// What is wrong with the bytes of a .npy file, and what would be right.
class NpyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The sides of an array, as far as they are of use: those of a matrix.
struct NpyShape {
  std::size_t dimensions = 0;
  std::uint64_t sides[2] = {};  // the first two; 0 where there is none
};

/// What stands before the data of a .npy file.
struct NpyHead {
  weir::ElementType type = weir::ElementType::float32;
  std::size_t size = 0;  // elements, of all dimensions
  NpyShape shape = {};

  std::uint64_t data_bytes() const { return std::uint64_t{size} * weir::size_of(type); }
  /// `bytes`: of data. Errors: `NpyError`.
  void check_data(std::uint64_t bytes) const {
    if (bytes == data_bytes()) return;
    throw NpyError("it has " + std::to_string(bytes) + " bytes of data; " + std::to_string(data_bytes()) +
                   " would be right for its shape");
  }
};

/// What the bytes of a .npy file hold.
struct NpyContent : NpyHead {
  std::string_view data;  // little-endian, in C order
};

namespace detail {

/// Text of a file in an error message.
inline std::string shown(std::string_view text) {
  std::string result = "'";
  for (char const c : text.substr(0, 16)) result += ' ' <= c && c <= '~' ? c : '?';
  return result + (text.size() > 16 ? "...'" : "'");
}

/// The header of a .npy file: a dictionary as Python writes it.
class NpyHeader {
 public:
  explicit NpyHeader(std::string_view text) : rest_(text) { read(); }

  std::string_view descr() const { return descr_; }
  bool is_fortran_order() const { return is_fortran_order_; }
  std::uint64_t elements() const { return elements_; }
  NpyShape const& shape() const { return shape_; }

 private:
  [[noreturn]] static void refuse() {
    throw NpyError(
        "its header is not a dictionary of 'descr', 'fortran_order' and 'shape'; one as numpy.save writes it "
        "would be right");
  }

  void read() {
    bool has_descr = false;
    bool has_order = false;
    bool has_shape = false;
    auto const first = [](bool& has) {
      if (has) refuse();
      has = true;
    };
    require('{');
    while (!take('}')) {
      std::string_view const key = string();
      require(':');
      if (key == "descr") {
        first(has_descr);
        read_descr();
      } else if (key == "fortran_order") {
        first(has_order);
        is_fortran_order_ = truth();
      } else if (key == "shape") {
        first(has_shape);
        read_shape();
      } else {
        refuse();
      }
      if (!take(',')) {
        require('}');
        break;
      }
    }
    skip_blanks();
    if (!rest_.empty() || !has_descr || !has_order || !has_shape) refuse();
  }

  void read_descr() {
    if (next_is('[')) {
      throw NpyError("its elements are structures; float16, float32 or float64 would be right");
    }
    descr_ = string();
  }

  void read_shape() {
    bool is_empty = false;
    elements_ = 1;
    require('(');
    for (bool is_first = true; !take(')'); is_first = false) {
      if (next_is('-')) throw NpyError("its shape has a negative side; sides of at least 0 would be right");
      std::uint64_t const side = number();
      is_empty = is_empty || side == 0;
      if (side != 0) elements_ = product(elements_, side);
      if (shape_.dimensions < 2) shape_.sides[shape_.dimensions] = side;
      ++shape_.dimensions;
      if (take(',')) continue;
      if (is_first) refuse();  // (3) is a number, (3,) a shape
      require(')');
      break;
    }
    if (is_empty) elements_ = 0;
  }

  static std::uint64_t product(std::uint64_t a, std::uint64_t b) {
    if (a > largest / b) refuse_overflow();
    return a * b;
  }

  [[noreturn]] static void refuse_overflow() {
    throw NpyError("its shape overflows; at most 2^59 elements would be right");
  }

  std::uint64_t number() {
    skip_blanks();
    std::uint64_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && is_digit(rest_[digits]); ++digits) {
      if (value > largest) refuse_overflow();
      value = 10 * value + static_cast<std::uint64_t>(rest_[digits] - '0');
    }
    if (digits == 0) refuse();
    rest_.remove_prefix(digits);
    return value;
  }

  bool truth() {
    skip_blanks();
    for (bool const value : {true, false}) {
      std::string_view const word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    refuse();
  }

  std::string_view string() {
    skip_blanks();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) refuse();
    std::size_t const end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) refuse();
    std::string_view const text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  bool next_is(char c) {
    skip_blanks();
    return !rest_.empty() && rest_[0] == c;
  }
  bool take(char c) {
    bool const is_there = next_is(c);
    if (is_there) rest_.remove_prefix(1);
    return is_there;
  }
  void require(char c) {
    if (!take(c)) refuse();
  }
  void skip_blanks() {
    std::size_t const blanks = rest_.find_first_not_of(" \t\r\n");
    rest_.remove_prefix(blanks == std::string_view::npos ? rest_.size() : blanks);
  }
  static bool is_digit(char c) { return '0' <= c && c <= '9'; }

  static constexpr std::uint64_t largest = std::uint64_t{1} << 59;

  std::string_view rest_;
  std::string_view descr_;
  bool is_fortran_order_ = false;
  std::uint64_t elements_ = 1;
  NpyShape shape_;
};

inline weir::ElementType npy_element_type(std::string_view descr, bool is_bfloat16) {
  if (is_bfloat16) {
    if (descr == "<u2") return weir::ElementType::bfloat16;
    throw NpyError("its elements are " + shown(descr) + "; with --bfloat16 '<u2', uint16, would be right");
  }
  if (descr == "<f2") return weir::ElementType::float16;
  if (descr == "<f4") return weir::ElementType::float32;
  if (descr == "<f8") return weir::ElementType::float64;
  bool const is_big_endian = descr.starts_with('>');
  throw NpyError("its elements are " + shown(descr) + (is_big_endian ? ", big-endian" : "") +
                 "; '<f2', '<f4' or '<f8', float16, float32 or float64, would be right" +
                 (descr == "<u2" ? ", or --bfloat16" : ""));
}

}  // namespace detail

/// What stands before the data of a .npy file. `take(n)` gives its next bytes, n or, at its end, fewer; they
/// are of use until the next call. `is_bfloat16`: its elements are bfloat16, stored as uint16.
///
/// Errors: `NpyError`. Never allocates more than a message.
template <class Take>
NpyHead read_npy_head(Take const& take, bool is_bfloat16) {
  constexpr std::string_view magic = "\x93NUMPY";
  constexpr std::size_t most = std::size_t{1} << 16;
  char const* const in_header = "it ends in its header; a whole file would be right";
  std::string_view bytes = take(magic.size() + 2);
  auto const byte = [&bytes](std::size_t i) { return std::size_t{static_cast<unsigned char>(bytes[i])}; };
  if (bytes.empty()) throw NpyError("it is empty; a .npy file would be right");
  if (!bytes.starts_with(magic)) throw NpyError("it does not begin as .npy files do; one would be right");
  if (bytes.size() < magic.size() + 2) throw NpyError(in_header);
  if ((byte(6) != 1 && byte(6) != 2) || byte(7) != 0) {
    throw NpyError("it has version " + std::to_string(byte(6)) + "." + std::to_string(byte(7)) +
                   " of the .npy format; 1.0 or 2.0 would be right");
  }
  std::size_t const length_bytes = byte(6) == 1 ? 2 : 4;
  bytes = take(length_bytes);
  if (bytes.size() < length_bytes) throw NpyError(in_header);
  std::size_t header_size = 0;
  for (std::size_t i = length_bytes; i > 0; --i) header_size = 256 * header_size + byte(i - 1);
  if (header_size > most) {
    throw NpyError("its header has " + std::to_string(header_size) + " bytes; at most " +
                   std::to_string(most) + " would be right");
  }
  bytes = take(header_size);
  if (bytes.size() < header_size) {
    throw NpyError("it ends in its header, which has " + std::to_string(header_size) +
                   " bytes; a whole file would be right");
  }
  detail::NpyHeader const header(bytes);
  NpyHead const head{detail::npy_element_type(header.descr(), is_bfloat16),
                     static_cast<std::size_t>(header.elements()), header.shape()};
  if (header.is_fortran_order()) throw NpyError("it is in Fortran order; C order would be right");
  return head;
}

/// Takes apart the bytes of a whole .npy file. `is_bfloat16`: its elements are bfloat16, stored as uint16.
///
/// Errors: `NpyError`. Never allocates more than a message.
inline NpyContent parse_npy(std::string_view bytes, bool is_bfloat16) {
  auto const take = [&bytes](std::size_t size) {
    std::string_view const taken = bytes.substr(0, size);
    bytes.remove_prefix(taken.size());
    return taken;
  };
  NpyHead const head = read_npy_head(take, is_bfloat16);
  head.check_data(bytes.size());
  return {head, bytes};
}

namespace detail {

/// What stands before the data of an array; the shape as Python writes it.
inline std::string npy_header_of(std::string_view descr, std::string const& shape) {
  constexpr std::size_t alignment = 64;
  constexpr std::size_t fixed = 10;
  std::string dictionary =
      "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': " + shape + ", }";
  std::size_t const unpadded = fixed + dictionary.size() + 1;
  dictionary += std::string((alignment - unpadded % alignment) % alignment, ' ') + '\n';
  std::string header = "\x93NUMPY";
  for (std::size_t const number :
       {std::size_t{1}, std::size_t{0}, dictionary.size() % 256, dictionary.size() / 256})
    header += static_cast<char>(number);
  return header + dictionary;
}

}  // namespace detail

/// What stands before the data of an array of one dimension.
inline std::string npy_header(std::string_view descr, std::size_t size) {
  return detail::npy_header_of(descr, "(" + std::to_string(size) + ",)");
}

/// The same of a matrix, which lies row by row.
inline std::string npy_header(std::string_view descr, std::size_t rows, std::size_t columns) {
  return detail::npy_header_of(descr, "(" + std::to_string(rows) + ", " + std::to_string(columns) + ")");
}

}  // namespace weir_sparsify
