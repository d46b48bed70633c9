#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/group_layout.hpp"

namespace weir::inline v1 {

/// How a mask of S x S tiles lies in memory: `grid` says which tiles are live. Tiles at the right and lower
/// edge may be cut off. Values lie tile by tile in the order of the grid's values, each tile S x S row by
/// row; what a cut tile lacks is padding.
///
/// Cost: that of the grid.
template <class Grid>
class TiledLayout {
 public:
  Grid grid;
  std::size_t input_count = 0;
  std::size_t output_count = 0;
  std::uint32_t block = 1;  ///< S

  /// Columns and rows of a tile that are there.
  WEIR_HOST_DEVICE constexpr std::size_t width(std::size_t tile_column) const {
    return extent(input_count, tile_column);
  }
  WEIR_HOST_DEVICE constexpr std::size_t height(std::size_t tile_row) const {
    return extent(output_count, tile_row);
  }

  WEIR_HOST_DEVICE constexpr std::size_t inputs() const { return input_count; }
  WEIR_HOST_DEVICE constexpr std::size_t outputs() const { return output_count; }
  WEIR_HOST_DEVICE constexpr std::size_t nnz() const {
    std::size_t const last_row = grid.outputs() - 1;
    std::size_t const last_column = grid.inputs() - 1;
    std::size_t const narrow = block - width(last_column);
    std::size_t const low = block - height(last_row);
    std::size_t count = grid.nnz() * block * block;
    count -= grid.column_degree(last_column) * narrow * block;
    count -= grid.row_degree(last_row) * low * block;
    return count + (grid.contains(last_row, last_column) ? narrow * low : 0);
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_count() const { return grid.value_count() * block * block; }

  WEIR_HOST_DEVICE constexpr std::size_t row_degree(std::size_t row) const {
    std::size_t const last = grid.inputs() - 1;
    std::size_t const lost = grid.contains(row / block, last) ? block - width(last) : 0;
    return grid.row_degree(row / block) * block - lost;
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_degree(std::size_t column) const {
    std::size_t const last = grid.outputs() - 1;
    std::size_t const lost = grid.contains(last, column / block) ? block - height(last) : 0;
    return grid.column_degree(column / block) * block - lost;
  }

  WEIR_HOST_DEVICE constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    return grid.column(row / block, row_tile(row, slot)) * block + slot % block;
  }
  WEIR_HOST_DEVICE constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    return grid.row(column / block, column_tile(column, slot)) * block + slot % block;
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return tile_value(grid.value_index(row / block, row_tile(row, slot)), row % block, slot % block);
  }
  WEIR_HOST_DEVICE constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return tile_value(grid.value_index_transposed(column / block, column_tile(column, slot)), slot % block,
                      column % block);
  }
  /// Where a value of a tile lies, by the index of the tile in the grid's values.
  WEIR_HOST_DEVICE constexpr std::size_t tile_value(std::size_t tile, std::size_t row_in_tile,
                                                    std::size_t column_in_tile) const {
    return (tile * block + row_in_tile) * block + column_in_tile;
  }

  WEIR_HOST_DEVICE constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    std::size_t const tile = grid.row_slot(row / block, column / block);
    if (tile == no_slot) return no_slot;
    return row_tile(row, tile * block) * block + column % block;
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    std::size_t const tile = grid.column_slot(column / block, row / block);
    if (tile == no_slot) return no_slot;
    return column_tile(column, tile * block) * block + row % block;
  }
  WEIR_HOST_DEVICE constexpr bool contains(std::size_t row, std::size_t column) const {
    return grid.contains(row / block, column / block);
  }

  std::size_t table_bytes() const { return grid.table_bytes(); }
  void write_tables(void* out) const { grid.write_tables(out); }
  TiledLayout with_tables(void const* tables) const {
    return {grid.with_tables(tables), input_count, output_count, block};
  }

 private:
  WEIR_HOST_DEVICE constexpr std::size_t extent(std::size_t whole, std::size_t tile) const {
    std::size_t const left = whole - tile * block;
    return left < block ? left : block;
  }

  /// The grid's slot of a slot: a cut tile changes places with the last one, so that only the last can be
  /// short. Its own inverse.
  WEIR_HOST_DEVICE constexpr std::size_t row_tile(std::size_t row, std::size_t slot) const {
    std::size_t const tile = slot / block;
    std::size_t const edge = grid.inputs() - 1;
    if (width(edge) == block) return tile;
    return exchanged(tile, grid.row_slot(row / block, edge), grid.row_degree(row / block) - 1);
  }
  WEIR_HOST_DEVICE constexpr std::size_t column_tile(std::size_t column, std::size_t slot) const {
    std::size_t const tile = slot / block;
    std::size_t const edge = grid.outputs() - 1;
    if (height(edge) == block) return tile;
    return exchanged(tile, grid.column_slot(column / block, edge), grid.column_degree(column / block) - 1);
  }
  WEIR_HOST_DEVICE static constexpr std::size_t exchanged(std::size_t tile, std::size_t cut,
                                                          std::size_t last) {
    if (cut == no_slot) return tile;
    return tile == cut ? last : tile == last ? cut : tile;
  }
};

}  // namespace weir::inline v1
