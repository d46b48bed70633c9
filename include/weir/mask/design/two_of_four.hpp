#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/core/error.hpp"
#include "weir/core/host_device.hpp"
#include "weir/exec/group_layout.hpp"

namespace weir::inline v1 {

/// The 2:4 pattern of sparse tensor cores: of each four inputs that lie together, every output has two. The
/// six pairs are the lines of the affine plane of order 2, taken by turns, so that the loads of the columns
/// differ by at most 1.
///
/// Cost: an entry in O(1), no tables.
/// Errors: ContractViolation where the inputs are no multiple of 4, or a side is 0.
class TwoOfFour {
 public:
  constexpr TwoOfFour(std::size_t outputs, std::size_t inputs) : outputs_(outputs), inputs_(inputs) {
    if (outputs == 0) throw ContractViolation("outputs 0: a mask has at least 1");
    if (inputs % 4 != 0 || inputs == 0)
      throw ContractViolation("inputs " + std::to_string(inputs) +
                              ": a multiple of 4 would be right (nearest: " +
                              (inputs < 4 ? "" : std::to_string(inputs / 4 * 4) + ", ") +
                              std::to_string(inputs / 4 * 4 + 4) + ")");
  }

  WEIR_HOST_DEVICE constexpr std::size_t inputs() const { return inputs_; }
  WEIR_HOST_DEVICE constexpr std::size_t outputs() const { return outputs_; }
  WEIR_HOST_DEVICE constexpr std::size_t nnz() const { return outputs_ * inputs_ / 2; }
  WEIR_HOST_DEVICE constexpr std::size_t value_count() const { return nnz(); }
  WEIR_HOST_DEVICE constexpr std::size_t row_degree(std::size_t) const { return inputs_ / 2; }
  WEIR_HOST_DEVICE constexpr std::size_t column_degree(std::size_t column) const {
    return outputs_ / 6 * 3 + before(column % 4, outputs_ % 6);
  }

  WEIR_HOST_DEVICE constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    return slot / 2 * 4 + point(row % 6, slot % 2);
  }
  WEIR_HOST_DEVICE constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    std::size_t line = 0;
    for (std::size_t left = slot % 3; !is_on(line, column % 4) || left-- != 0;) ++line;
    return slot / 3 * 6 + line;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return row * (inputs_ / 2) + slot;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    std::size_t const r = row(column, slot);
    return value_index(r, row_slot(r, column));
  }
  WEIR_HOST_DEVICE constexpr bool contains(std::size_t row, std::size_t column) const {
    return is_on(row % 6, column % 4);
  }
  WEIR_HOST_DEVICE constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    if (!contains(row, column)) return no_slot;
    return column / 4 * 2 + (point(row % 6, 1) == column % 4 ? 1 : 0);
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    return contains(row, column) ? row / 6 * 3 + before(column % 4, row % 6) : no_slot;
  }

 private:
  /// Lines 01, 23, 02, 13, 03, 12: one and its parallel, so that a column never falls behind by two.
  WEIR_HOST_DEVICE static constexpr bool is_on(std::size_t line, std::size_t point) {
    constexpr std::uint32_t points[] = {0b0011, 0b1100, 0b0101, 0b1010, 0b1001, 0b0110};
    return (points[line] >> point & 1) != 0;
  }
  WEIR_HOST_DEVICE static constexpr std::size_t point(std::size_t line, std::size_t which) {
    std::size_t p = 0;
    while (!is_on(line, p) || which-- != 0) ++p;
    return p;
  }
  /// Lines before one that a point is on.
  WEIR_HOST_DEVICE static constexpr std::size_t before(std::size_t point, std::size_t line) {
    std::size_t count = 0;
    for (std::size_t earlier = 0; earlier < line; ++earlier) count += is_on(earlier, point) ? 1 : 0;
    return count;
  }

  std::size_t outputs_;
  std::size_t inputs_;
};

}  // namespace weir::inline v1
