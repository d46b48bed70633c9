#pragma once

#include <concepts>
#include <cstddef>

namespace weir::inline v1 {

/// Says which entries of an outputs x inputs matrix are live, and where their values lie. Row r has
/// row_degree(r) entries, its slots; `column(r, slot)` is where they are, in any order. Columns likewise.
/// `value_index(r, slot)` and `value_index_transposed(c, slot)` name the same place below `value_count()`,
/// which counts padding that is stored beside the `nnz()` live values.
///
/// Cost: O(1) or nearly so, and no memory, on host and device.
template <class D>
concept Design = std::copyable<D> && requires(D const& design, std::size_t i, std::size_t j) {
  { design.inputs() } -> std::same_as<std::size_t>;
  { design.outputs() } -> std::same_as<std::size_t>;
  { design.nnz() } -> std::same_as<std::size_t>;
  { design.value_count() } -> std::same_as<std::size_t>;
  { design.row_degree(i) } -> std::same_as<std::size_t>;
  { design.column_degree(i) } -> std::same_as<std::size_t>;
  { design.column(i, j) } -> std::same_as<std::size_t>;
  { design.row(i, j) } -> std::same_as<std::size_t>;
  { design.value_index(i, j) } -> std::same_as<std::size_t>;
  { design.value_index_transposed(i, j) } -> std::same_as<std::size_t>;
  { design.contains(i, j) } -> std::same_as<bool>;
};

/// A design that can also say in which slot an entry is (`no_slot` where none is).
template <class D>
concept SearchableDesign = Design<D> && requires(D const& design, std::size_t i, std::size_t j) {
  { design.row_slot(i, j) } -> std::same_as<std::size_t>;
  { design.column_slot(i, j) } -> std::same_as<std::size_t>;
};

}  // namespace weir::inline v1
