#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "weir/core/host_device.hpp"
#include "weir/exec/find_slot.hpp"

namespace weir::inline v1 {

/// How a mask without a formula lies in memory: sorted rows (CSR), values in row-major order, and for the
/// transposed product sorted columns whose `positions` point into the same values.
///
/// Cost: an entry in O(1), a search for one in O(log degree).
template <std::unsigned_integral Index>
class IndexedLayout {
 public:
  std::size_t input_count = 0;
  std::size_t output_count = 0;
  std::size_t entry_count = 0;
  std::uint32_t const* row_begin = nullptr;     ///< outputs + 1
  std::uint32_t const* column_begin = nullptr;  ///< inputs + 1
  std::uint32_t const* positions = nullptr;     ///< nnz: of the values, column by column
  Index const* columns = nullptr;               ///< nnz, ascending in each row
  Index const* rows = nullptr;                  ///< nnz, ascending in each column

  WEIR_HOST_DEVICE constexpr std::size_t inputs() const { return input_count; }
  WEIR_HOST_DEVICE constexpr std::size_t outputs() const { return output_count; }
  WEIR_HOST_DEVICE constexpr std::size_t nnz() const { return entry_count; }
  WEIR_HOST_DEVICE constexpr std::size_t value_count() const { return nnz(); }
  WEIR_HOST_DEVICE constexpr std::size_t row_degree(std::size_t row) const {
    return row_begin[row + 1] - row_begin[row];
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_degree(std::size_t column) const {
    return column_begin[column + 1] - column_begin[column];
  }
  WEIR_HOST_DEVICE constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    return columns[row_begin[row] + slot];
  }
  WEIR_HOST_DEVICE constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    return rows[column_begin[column] + slot];
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return row_begin[row] + slot;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return positions[column_begin[column] + slot];
  }

  WEIR_HOST_DEVICE constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    return detail::find_slot(columns + row_begin[row], row_degree(row), column);
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    return detail::find_slot(rows + column_begin[column], column_degree(column), row);
  }
  WEIR_HOST_DEVICE constexpr bool contains(std::size_t row, std::size_t column) const {
    return row_slot(row, column) != no_slot;
  }

  std::size_t table_bytes() const { return words() * sizeof(std::uint32_t) + 2 * nnz() * sizeof(Index); }
  void write_tables(void* out) const {
    auto* to = static_cast<std::byte*>(out);
    auto const put = [&to](void const* from, std::size_t bytes) {
      if (bytes != 0) std::memcpy(to, from, bytes);
      to += bytes;
    };
    put(row_begin, (output_count + 1) * sizeof *row_begin);
    put(column_begin, (input_count + 1) * sizeof *column_begin);
    put(positions, nnz() * sizeof *positions);
    put(columns, nnz() * sizeof *columns);
    put(rows, nnz() * sizeof *rows);
  }
  IndexedLayout with_tables(void const* tables) const {
    auto const* const first = static_cast<std::uint32_t const*>(tables);
    auto const* const indices = reinterpret_cast<Index const*>(first + words());
    return {input_count,
            output_count,
            entry_count,
            first,
            first + output_count + 1,
            first + output_count + input_count + 2,
            indices,
            indices + nnz()};
  }

 private:
  std::size_t words() const { return output_count + input_count + 2 + nnz(); }
};

}  // namespace weir::inline v1
