#pragma once

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {
namespace detail {

/// A place in a matrix.
struct MatrixPlace {
  int row;
  int column;
  constexpr bool operator==(MatrixPlace const&) const = default;
};

// Which element of the 16 x 8 result of `DeviceBlock::multiply` is register `i`, 0 .. 3, of a lane; and which
// rows of shared memory a lane names to load the operands. An operand lies in shared memory with the
// dimension that is summed over (k) along its rows of 16 bytes, or across them.

WEIR_HOST_DEVICE constexpr MatrixPlace result_place(int lane, int i) {
  return {lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2};
}

/// The left operand, 16 x 16: rows that lie along k.
WEIR_HOST_DEVICE constexpr MatrixPlace left_row_along(int lane) {
  return {lane % 16, lane / 16 * 8};
}
/// The same where each row of memory is one k, for 16 rows of the operand: {k, row of the operand}.
WEIR_HOST_DEVICE constexpr MatrixPlace left_row_across(int lane) {
  return {lane / 16 * 8 + lane % 8, lane / 8 % 2 * 8};
}
/// Two right operands side by side, 16 x 8 each, as 16 columns that lie along k: {column, k}. Registers 0 and
/// 1 are those of the first one.
WEIR_HOST_DEVICE constexpr MatrixPlace right_row_along(int lane) {
  return {lane / 16 * 8 + lane % 8, lane / 8 % 2 * 8};
}
/// The same where each row of memory is one k: {k, column}.
WEIR_HOST_DEVICE constexpr MatrixPlace right_row_across(int lane) {
  return {lane % 16, lane / 16 * 8};
}

/// Where 16 bytes, 8 elements, of a tile of shared memory lie, counted in elements: chunks of a row change
/// places so that 8 rows of one column of chunks, and a whole row, are in different banks each. `Width` is
/// 32, 64 or 128 elements a row.
template <int Width>
WEIR_HOST_DEVICE constexpr int swizzled(int row, int chunk) {
  constexpr int chunks = Width / 8;
  static_assert(chunks == 4 || chunks == 8 || chunks == 16);
  int const turn = chunks == 4 ? row / 2 % 4 : row % 8;
  return row * Width + (chunk ^ turn) * 8;
}

}  // namespace detail
}  // namespace weir::inline v1
