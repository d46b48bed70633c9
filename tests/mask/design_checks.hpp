#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/exec/group_layout.hpp"
#include "weir/mask/design.hpp"

/// What is wrong with a design as a design, whatever its entries are: nothing if `column` and `row` are each
/// other's inverse, and values have places of their own that both name alike.
template <weir::SearchableDesign D>
std::string fault_of(D const& design) {
  auto const at = [](char const* what, std::size_t i, std::size_t j) {
    return std::string(what) + " at " + std::to_string(i) + ", " + std::to_string(j);
  };
  std::size_t const rows = design.outputs();
  std::size_t const columns = design.inputs();
  std::vector<std::uint8_t> taken(design.value_count());
  std::vector<std::size_t> value_at(rows * columns, weir::no_slot);
  std::size_t entries = 0;
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t slot = 0; slot < design.row_degree(r); ++slot, ++entries) {
      std::size_t const c = design.column(r, slot);
      std::size_t const value = design.value_index(r, slot);
      if (c >= columns || value >= taken.size()) return at("out of range", r, slot);
      if (value_at[r * columns + c] != weir::no_slot) return at("a column twice", r, slot);
      if (taken[value]++ != 0) return at("a value twice", r, slot);
      if (design.row_slot(r, c) != slot) return at("row_slot", r, c);
      value_at[r * columns + c] = value;
    }
  }
  if (entries != design.nnz())
    return "nnz " + std::to_string(design.nnz()) + " of " + std::to_string(entries);
  for (std::size_t c = 0; c < columns; ++c) {
    for (std::size_t slot = 0; slot < design.column_degree(c); ++slot, --entries) {
      std::size_t const r = design.row(c, slot);
      if (r >= rows) return at("row out of range", c, slot);
      if (value_at[r * columns + c] == weir::no_slot) return at("a row that is not live, or twice", c, slot);
      if (design.value_index_transposed(c, slot) != value_at[r * columns + c])
        return at("value_index_transposed", c, slot);
      if (design.column_slot(c, r) != slot) return at("column_slot", c, r);
      if (!design.contains(r, c)) return at("contains is false", r, c);
      value_at[r * columns + c] = weir::no_slot;
    }
  }
  if (entries != 0) return "columns have fewer entries than rows";
  // Every live entry is cleared now; those that never were one:
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      bool const is_live = design.row_slot(r, c) != weir::no_slot;
      if (design.contains(r, c) != is_live || (design.column_slot(c, r) != weir::no_slot) != is_live)
        return at("contains", r, c);
      entries += is_live ? 1 : 0;
    }
  }
  return entries == design.nnz() ? "" : "contains finds more entries than there are";
}

/// The 0/1 matrix row by row.
template <weir::Design D>
std::vector<std::uint8_t> matrix_of(D const& design) {
  std::vector<std::uint8_t> matrix(design.outputs() * design.inputs());
  for (std::size_t r = 0; r < design.outputs(); ++r) {
    for (std::size_t slot = 0; slot < design.row_degree(r); ++slot)
      matrix[r * design.inputs() + design.column(r, slot)] = 1;
  }
  return matrix;
}

/// CRC-32 as in zip files.
inline std::uint32_t crc32(std::vector<std::uint8_t> const& bytes) {
  std::uint32_t crc = 0xffff'ffff;
  for (std::uint8_t const byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb8'8320 : 0);
  }
  return ~crc;
}
template <weir::Design D>
std::uint32_t crc32(D const& design) {
  return crc32(matrix_of(design));
}
