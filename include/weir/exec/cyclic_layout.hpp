#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weir/core/host_device.hpp"
#include "weir/exec/find_slot.hpp"

namespace weir::inline v1 {

/// How a square design developed from a difference set lies in memory: row i holds the columns
/// (difference[j] + i) mod v, and values lie diagonal by diagonal: value (i, j) at j*v + i.
///
/// Cost: an entry in O(1), a search for one in O(log k). Tables: 4 bytes per difference.
class CyclicLayout {
 public:
  std::uint32_t order = 0;                     ///< v, inputs and outputs
  std::uint32_t size = 0;                      ///< k
  std::uint32_t const* differences = nullptr;  ///< k, ascending, below v

  WEIR_HOST_DEVICE constexpr std::size_t inputs() const { return order; }
  WEIR_HOST_DEVICE constexpr std::size_t outputs() const { return order; }
  WEIR_HOST_DEVICE constexpr std::size_t nnz() const { return std::size_t{order} * size; }
  WEIR_HOST_DEVICE constexpr std::size_t value_count() const { return nnz(); }
  WEIR_HOST_DEVICE constexpr std::size_t row_degree(std::size_t) const { return size; }
  WEIR_HOST_DEVICE constexpr std::size_t column_degree(std::size_t) const { return size; }

  WEIR_HOST_DEVICE constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    std::size_t const sum = row + differences[slot];
    return sum < order ? sum : sum - order;
  }
  WEIR_HOST_DEVICE constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    std::size_t const difference = differences[slot];
    return column >= difference ? column - difference : column + order - difference;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return slot * order + row;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return slot * order + row(column, slot);
  }

  WEIR_HOST_DEVICE constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    std::size_t const difference = column >= row ? column - row : column + order - row;
    return detail::find_slot(differences, size, difference);
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    return row_slot(row, column);
  }
  WEIR_HOST_DEVICE constexpr bool contains(std::size_t row, std::size_t column) const {
    return row_slot(row, column) != no_slot;
  }

  constexpr std::size_t table_bytes() const { return std::size_t{size} * sizeof *differences; }
  void write_tables(void* out) const {
    if (size != 0) std::memcpy(out, differences, table_bytes());
  }
  CyclicLayout with_tables(void const* tables) const {
    return {order, size, static_cast<std::uint32_t const*>(tables)};
  }
};

}  // namespace weir::inline v1
