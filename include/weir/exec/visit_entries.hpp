#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/cyclic_layout.hpp"
#include "weir/exec/group_layout.hpp"
#include "weir/exec/indexed_layout.hpp"
#include "weir/exec/tiled_layout.hpp"

namespace weir::inline v1 {
namespace detail {

// `visit_row(layout, row, first, last, f)` calls `f(column, value index)` for the live entries of a row whose
// columns are in first .. last; `visit_column` is its mirror image. Always in the same order, and a row that
// is visited piece by piece, the pieces ascending, gives the order that the pieces define.

template <class Function>
WEIR_HOST_DEVICE constexpr void visit_row(GroupLayout const& layout, std::size_t row, std::size_t first,
                                          std::size_t last, Function const& f) {
  auto const& shape = layout.shape;
  auto const a = static_cast<std::uint32_t>(row / shape.group);
  auto const y = static_cast<std::uint32_t>(row % shape.group);
  for (auto c = static_cast<std::uint32_t>(first / shape.group); c < shape.groups; ++c) {
    std::size_t const begin = std::size_t{c} * shape.group;
    if (begin >= last) return;
    auto const cell = layout.cell(a, c);
    for (std::uint32_t level = 0; level < shape.levels; ++level) {
      std::size_t const column = begin + layout.add(y, layout.offset(cell, level));
      if (column >= first && column < last) f(column, layout.value_index(a, c, level, y));
    }
  }
}

template <class Function>
WEIR_HOST_DEVICE constexpr void visit_column(GroupLayout const& layout, std::size_t column, std::size_t first,
                                             std::size_t last, Function const& f) {
  auto const& shape = layout.shape;
  auto const c = static_cast<std::uint32_t>(column / shape.group);
  auto const z = static_cast<std::uint32_t>(column % shape.group);
  for (auto a = static_cast<std::uint32_t>(first / shape.group); a < shape.classes; ++a) {
    std::size_t const begin = std::size_t{a} * shape.group;
    if (begin >= last) return;
    auto const cell = layout.cell(a, c);
    for (std::uint32_t level = 0; level < shape.levels; ++level) {
      std::uint32_t const y = layout.subtract(z, layout.offset(cell, level));
      if (begin + y >= first && begin + y < last) f(begin + y, layout.value_index(a, c, level, y));
    }
  }
}

/// Where the first element that is not below `value` is.
template <class Index>
WEIR_HOST_DEVICE constexpr std::size_t first_from(Index const* sorted, std::size_t begin, std::size_t end,
                                                  std::size_t value) {
  while (begin < end) {
    std::size_t const middle = begin + (end - begin) / 2;
    if (sorted[middle] < value) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

template <class Index, class Function>
WEIR_HOST_DEVICE constexpr void visit_row(IndexedLayout<Index> const& layout, std::size_t row,
                                          std::size_t first, std::size_t last, Function const& f) {
  std::size_t const end = layout.row_begin[row + 1];
  std::size_t at = layout.row_begin[row];
  if (first != 0) at = first_from(layout.columns, at, end, first);
  for (; at < end && layout.columns[at] < last; ++at) f(layout.columns[at], at);
}

template <class Index, class Function>
WEIR_HOST_DEVICE constexpr void visit_column(IndexedLayout<Index> const& layout, std::size_t column,
                                             std::size_t first, std::size_t last, Function const& f) {
  std::size_t const end = layout.column_begin[column + 1];
  std::size_t at = layout.column_begin[column];
  if (first != 0) at = first_from(layout.rows, at, end, first);
  for (; at < end && layout.rows[at] < last; ++at) f(layout.rows[at], layout.positions[at]);
}

template <class Function>
WEIR_HOST_DEVICE constexpr void visit_row(CyclicLayout const& layout, std::size_t row, std::size_t first,
                                          std::size_t last, Function const& f) {
  std::size_t const order = layout.order;
  auto const from = [&](std::size_t difference) {
    return first_from(layout.differences, 0, layout.size, difference);
  };
  // Columns below the row are those that have gone once around.
  std::size_t const wrapped_end = from(order + (last < row ? last : row) - row);
  for (std::size_t j = from(order + first - row); j < wrapped_end; ++j) {
    f(layout.differences[j] + row - order, j * order + row);
  }
  std::size_t const end = last > row ? from(last - row) : 0;
  for (std::size_t j = first > row ? from(first - row) : 0; j < end; ++j) {
    f(layout.differences[j] + row, j * order + row);
  }
}

template <class Function>
WEIR_HOST_DEVICE constexpr void visit_column(CyclicLayout const& layout, std::size_t column,
                                             std::size_t first, std::size_t last, Function const& f) {
  std::size_t const order = layout.order;
  auto const from = [&](std::size_t difference) {
    return first_from(layout.differences, 0, layout.size, difference);
  };
  // Rows up to the column, ascending: difference = column - row from column - first down.
  std::size_t const below = last > column ? 0 : from(column - last + 1);
  for (std::size_t j = first > column ? 0 : from(column - first + 1); j-- > below;) {
    std::size_t const row = column - layout.differences[j];
    f(row, j * order + row);
  }
  std::size_t const wrapped_begin = first > column ? first : column + 1;
  if (wrapped_begin >= last) return;
  std::size_t const wrapped_below = from(column + order - last + 1);
  for (std::size_t j = from(column + order - wrapped_begin + 1); j-- > wrapped_below;) {
    std::size_t const row = column + order - layout.differences[j];
    f(row, j * order + row);
  }
}

template <class Grid, class Function>
WEIR_HOST_DEVICE constexpr void visit_row(TiledLayout<Grid> const& layout, std::size_t row, std::size_t first,
                                          std::size_t last, Function const& f) {
  std::size_t const block = layout.block;
  std::size_t const width = last < layout.input_count ? last : layout.input_count;
  visit_row(layout.grid, row / block, first / block, (last + block - 1) / block,
            [&](std::size_t tile_column, std::size_t tile) {
              std::size_t const begin = tile_column * block;
              std::size_t const end = begin + block < width ? begin + block : width;
              for (std::size_t column = begin > first ? begin : first; column < end; ++column) {
                f(column, layout.tile_value(tile, row % block, column - begin));
              }
            });
}

template <class Grid, class Function>
WEIR_HOST_DEVICE constexpr void visit_column(TiledLayout<Grid> const& layout, std::size_t column,
                                             std::size_t first, std::size_t last, Function const& f) {
  std::size_t const block = layout.block;
  std::size_t const height = last < layout.output_count ? last : layout.output_count;
  visit_column(layout.grid, column / block, first / block, (last + block - 1) / block,
               [&](std::size_t tile_row, std::size_t tile) {
                 std::size_t const begin = tile_row * block;
                 std::size_t const end = begin + block < height ? begin + block : height;
                 for (std::size_t row = begin > first ? begin : first; row < end; ++row) {
                   f(row, layout.tile_value(tile, row - begin, column % block));
                 }
               });
}

}  // namespace detail
}  // namespace weir::inline v1
