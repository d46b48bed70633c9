#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/exec/visit_entries.hpp"

namespace weir::inline v1 {
namespace detail {

/// An entry: its place in the matrix.
struct EntryPlace {
  std::size_t row;
  std::size_t column;
};

/// The entry to which a stored value belongs, the inverse of `value_index`; of padding a place outside.
WEIR_HOST_DEVICE constexpr EntryPlace place_of(GroupLayout const& layout, std::size_t value) {
  auto const& shape = layout.shape;
  auto const y = static_cast<std::uint32_t>(value % shape.group);
  value /= shape.group;
  auto const level = static_cast<std::uint32_t>(value % shape.levels);
  value /= shape.levels;
  auto const c = static_cast<std::uint32_t>(value % shape.groups);
  auto const a = static_cast<std::uint32_t>(value / shape.groups);
  return {std::size_t{a} * shape.group + y,
          std::size_t{c} * shape.group + layout.add(y, layout.offset(a, c, level))};
}
WEIR_HOST_DEVICE constexpr EntryPlace place_of(CyclicLayout const& layout, std::size_t value) {
  std::size_t const row = value % layout.order;
  return {row, layout.column(row, value / layout.order)};
}
template <class Index>
WEIR_HOST_DEVICE constexpr EntryPlace place_of(IndexedLayout<Index> const& layout, std::size_t value) {
  std::size_t low = 0;  // the last row that begins at or before the value
  for (std::size_t high = layout.output_count; low + 1 < high;) {
    std::size_t const middle = low + (high - low) / 2;
    if (layout.row_begin[middle] <= value) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return {low, layout.columns[value]};
}

/// A layout of any kind, of entries or of tiles, so that kernels need not be compiled for each.
struct EntryTable {
  enum class Kind : std::uint8_t { group, cyclic, narrow, wide };

  Kind kind = Kind::group;
  std::uint32_t block = 1;  // side of a tile
  std::size_t output_count = 0;
  std::size_t input_count = 0;
  GroupLayout group = {};
  CyclicLayout cyclic = {};
  IndexedLayout<std::uint16_t> indexed16 = {};
  IndexedLayout<std::uint32_t> indexed32 = {};

  template <class Layout>
  static constexpr EntryTable of(Layout const& layout) {
    EntryTable table;
    table.take(layout);
    table.output_count = layout.outputs();
    table.input_count = layout.inputs();
    return table;
  }

  WEIR_HOST_DEVICE constexpr std::size_t inputs() const { return input_count; }
  WEIR_HOST_DEVICE constexpr std::size_t outputs() const { return output_count; }

  /// Calls `f` with the layout of the entries, or of the grid of tiles.
  template <class Function>
  WEIR_HOST_DEVICE constexpr decltype(auto) visit_grid(Function const& f) const {
    switch (kind) {
      case Kind::cyclic:
        return f(cyclic);
      case Kind::narrow:
        return f(indexed16);
      case Kind::wide:
        return f(indexed32);
      default:
        return f(group);
    }
  }

  /// Calls `f(input, value index)` for the entries of an output whose inputs are in first .. last.
  template <bool Transposed, class Function>
  WEIR_HOST_DEVICE constexpr void visit(std::size_t output, std::size_t first, std::size_t last,
                                        Function const& f) const {
    visit_grid([&](auto const& grid) {
      using Grid = std::remove_cvref_t<decltype(grid)>;
      if (block == 1) {
        visit_one<Transposed>(grid, output, first, last, f);
      } else {
        visit_one<Transposed>(TiledLayout<Grid>{grid, input_count, output_count, block}, output, first, last,
                              f);
      }
    });
  }

  WEIR_HOST_DEVICE constexpr bool contains(std::size_t row, std::size_t column) const {
    return visit_grid([&](auto const& grid) { return grid.contains(row / block, column / block); });
  }

  /// What is stored and not live lies at cut edges.
  constexpr bool has_padding() const {
    bool const has_cut_tiles = output_count % block != 0 || input_count % block != 0;
    if (kind != Kind::group) return has_cut_tiles;
    return has_cut_tiles || group.shape.outputs % group.shape.group != 0 ||
           group.shape.inputs % group.shape.group != 0;
  }

  /// The live tiles of a line of tiles: a row of the grid, or of its transposed a column.
  template <bool Transposed>
  WEIR_HOST_DEVICE constexpr std::size_t tiles_of(std::size_t line) const {
    return visit_grid(
        [&](auto const& grid) { return Transposed ? grid.column_degree(line) : grid.row_degree(line); });
  }
  struct Tile {
    std::size_t input;  // its column, or of the transposed its row
    std::size_t value;
  };
  template <bool Transposed>
  WEIR_HOST_DEVICE constexpr Tile tile(std::size_t line, std::size_t slot) const {
    return visit_grid([&](auto const& grid) {
      return Transposed ? Tile{grid.row(line, slot), grid.value_index_transposed(line, slot)}
                        : Tile{grid.column(line, slot), grid.value_index(line, slot)};
    });
  }
  WEIR_HOST_DEVICE constexpr EntryPlace tile_place(std::size_t value) const {
    return visit_grid([&](auto const& grid) { return place_of(grid, value); });
  }

 private:
  template <bool Transposed, class Layout, class Function>
  WEIR_HOST_DEVICE static constexpr void visit_one(Layout const& layout, std::size_t output,
                                                   std::size_t first, std::size_t last, Function const& f) {
    if constexpr (Transposed) {
      visit_column(layout, output, first, last, f);
    } else {
      visit_row(layout, output, first, last, f);
    }
  }

  constexpr void take(GroupLayout const& layout) { group = layout; }
  constexpr void take(CyclicLayout const& layout) {
    cyclic = layout;
    kind = Kind::cyclic;
  }
  constexpr void take(IndexedLayout<std::uint16_t> const& layout) {
    indexed16 = layout;
    kind = Kind::narrow;
  }
  constexpr void take(IndexedLayout<std::uint32_t> const& layout) {
    indexed32 = layout;
    kind = Kind::wide;
  }
  template <class Grid>
  constexpr void take(TiledLayout<Grid> const& layout) {
    take(layout.grid);
    block = layout.block;
  }
};

/// The live tiles of a line of tiles: a row, or of the transposed a column. Those that come first are looked
/// up once, and lie in shared memory.
template <bool Transposed>
struct TileLine {
  struct alignas(8) Place {
    std::uint32_t input;
    std::uint32_t value;
  };
  static constexpr unsigned listed = 512;
  static constexpr std::size_t bytes = listed * sizeof(Place);

  WEIR_HOST_DEVICE TileLine(EntryTable const& table, std::size_t number, unsigned char* memory)
      : tiles(table),
        list(reinterpret_cast<Place*>(memory)),
        line(number),
        live(static_cast<unsigned>(table.tiles_of<Transposed>(number))) {}

  /// Behind it a `sync`.
  template <class Block>
  WEIR_HOST_DEVICE void look_up(Block const& block) const {
    for (unsigned slot = block.thread(); slot < live && slot < listed; slot += block.threads()) {
      auto const found = tiles.tile<Transposed>(line, slot);
      list[slot] = {static_cast<std::uint32_t>(found.input), static_cast<std::uint32_t>(found.value)};
    }
  }
  WEIR_HOST_DEVICE EntryTable::Tile tile(unsigned slot) const {
    if (slot < listed) return {list[slot].input, list[slot].value};
    return tiles.tile<Transposed>(line, slot);
  }

  EntryTable const& tiles;
  Place* list;
  std::size_t line;
  unsigned live;  // how many
};

/// Calls `f(input - begin * n, value index)` for the entries of an output whose inputs lie in the groups (of
/// the transposed: classes) begin .. end. Threads of neighbouring outputs get neighbouring values, and inputs
/// that are a permutation of neighbours.
template <bool Transposed, class Function>
WEIR_HOST_DEVICE constexpr void visit_parts(GroupLayout const& layout, std::size_t output,
                                            std::uint32_t begin, std::uint32_t end, Function const& f) {
  std::uint32_t const n = layout.shape.group;
  std::uint32_t const levels = layout.shape.levels;
  auto const own = static_cast<std::uint32_t>(output / n);
  auto const place = static_cast<std::uint32_t>(output % n);
  for (std::uint32_t other = begin; other < end; ++other) {
    std::uint32_t const a = Transposed ? other : own;
    std::uint32_t const c = Transposed ? own : other;
    auto const cell = layout.cell(a, c);
    std::uint32_t const extent = Transposed ? layout.height(a) : layout.width(c);
    std::size_t const base = (std::size_t{a} * layout.shape.groups + c) * levels * n;
    for (std::uint32_t level = 0; level < levels; ++level) {
      std::uint32_t const offset = layout.offset(cell, level);
      std::uint32_t const to = Transposed ? layout.subtract(place, offset) : layout.add(place, offset);
      if (to >= extent) continue;
      f((other - begin) * n + to, base + level * n + (Transposed ? to : place));
    }
  }
}

/// Calls `f(input - first, value index)` for the entries of an output whose inputs are in first .. last.
/// Chunks of a group design are whole groups where they can be.
template <bool Transposed, class Function>
WEIR_HOST_DEVICE constexpr void visit_chunk(GroupLayout const& layout, std::size_t output, std::size_t first,
                                            std::size_t last, unsigned columns, Function const& f) {
  std::uint32_t const n = layout.shape.group;
  if (columns % n == 0) {
    auto const end = static_cast<std::uint32_t>((last + n - 1) / n);
    return visit_parts<Transposed>(layout, output, static_cast<std::uint32_t>(first / n), end, f);
  }
  auto const relative = [&](std::size_t input, std::size_t value) {
    f(static_cast<std::uint32_t>(input - first), value);
  };
  if constexpr (Transposed) {
    visit_column(layout, output, first, last, relative);
  } else {
    visit_row(layout, output, first, last, relative);
  }
}
template <bool Transposed, class Function>
WEIR_HOST_DEVICE constexpr void visit_chunk(EntryTable const& table, std::size_t output, std::size_t first,
                                            std::size_t last, unsigned, Function const& f) {
  table.visit<Transposed>(output, first, last, [&](std::size_t input, std::size_t value) {
    f(static_cast<std::uint32_t>(input - first), value);
  });
}

}  // namespace detail
}  // namespace weir::inline v1
