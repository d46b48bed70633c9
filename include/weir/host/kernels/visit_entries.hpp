#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/visit_entries.hpp"

namespace weir::inline v1 {
namespace detail {

/// Some entries of one row, or of one column.
struct EntryList {
  static constexpr std::size_t capacity = 4096;
  std::uint32_t input[capacity];
  std::uint64_t value[capacity];
  std::size_t size = 0;
};

/// The entries of a layout, whose type is forgotten so that kernels need not be compiled for each.
struct EntrySource {
  void const* layout;
  std::size_t inputs;
  std::size_t outputs;
  std::size_t value_count;
  bool ascends;  ///< the inputs of an output, in the order in which they are listed
  void (*list_entries)(void const* layout, std::size_t output, std::size_t first, std::size_t last,
                       EntryList& list);

  /// The entries of an output whose inputs are in first .. last, which are at most `capacity` inputs.
  void list(std::size_t output, std::size_t first, std::size_t last, EntryList& to) const {
    to.size = 0;
    list_entries(layout, output, first, last, to);
  }
};

/// For the device, too, as far as nvcc knows: what calls it is for both.
struct AddEntry {
  EntryList& to;

  WEIR_HOST_DEVICE void operator()(std::size_t input, std::size_t value) const {
    to.input[to.size] = static_cast<std::uint32_t>(input);
    to.value[to.size] = value;
    ++to.size;
  }
};

/// Calls `f(input, value index)` for the entries of an output whose inputs are in first .. last: of a layout
/// of `exec/` by its own function, of any other design slot by slot.
template <bool Transposed, class Layout, class Function>
void visit_output(Layout const& layout, std::size_t output, std::size_t first, std::size_t last,
                  Function const& f) {
  if constexpr (Transposed) {
    if constexpr (requires { visit_column(layout, output, first, last, f); }) {
      visit_column(layout, output, first, last, f);
    } else {
      for (std::size_t slot = 0; slot < layout.column_degree(output); ++slot) {
        std::size_t const row = layout.row(output, slot);
        if (row >= first && row < last) f(row, layout.value_index_transposed(output, slot));
      }
    }
  } else {
    if constexpr (requires { visit_row(layout, output, first, last, f); }) {
      visit_row(layout, output, first, last, f);
    } else {
      for (std::size_t slot = 0; slot < layout.row_degree(output); ++slot) {
        std::size_t const column = layout.column(output, slot);
        if (column >= first && column < last) f(column, layout.value_index(output, slot));
      }
    }
  }
}

/// Whether rows and columns are visited in ascending order, so that it does not matter into which pieces.
template <class Layout>
constexpr bool visits_ascending(Layout const&) {
  return false;
}
constexpr bool visits_ascending(GroupLayout const& layout) {
  return layout.shape.levels == 1;
}
template <class Index>
constexpr bool visits_ascending(IndexedLayout<Index> const&) {
  return true;
}
constexpr bool visits_ascending(CyclicLayout const&) {
  return true;
}
template <class Grid>
constexpr bool visits_ascending(TiledLayout<Grid> const& layout) {
  return visits_ascending(layout.grid);
}

/// Outputs are rows; of the transposed, columns. The layout outlives what is returned.
template <bool Transposed, class Layout>
EntrySource entries_of(Layout const& layout) {
  auto const list = [](void const* any, std::size_t output, std::size_t first, std::size_t last,
                       EntryList& to) {
    visit_output<Transposed>(*static_cast<Layout const*>(any), output, first, last, AddEntry{to});
  };
  std::size_t const rows = layout.outputs();
  std::size_t const columns = layout.inputs();
  return {&layout,
          Transposed ? rows : columns,
          Transposed ? columns : rows,
          layout.value_count(),
          visits_ascending(layout),
          list};
}

}  // namespace detail
}  // namespace weir::inline v1
