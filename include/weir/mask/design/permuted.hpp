#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/random.hpp"
#include "weir/mask/design.hpp"

namespace weir::inline v1 {

/// A design whose rows and columns stand in another order, over the same values.
///
/// Cost: an index per row and column, and as many for the way back.
/// Errors: ContractViolation where an order is no permutation.
template <Design D>
class Permuted {
 public:
  /// Row r is row `rows[r]` of the design, and column c its column `columns[c]`.
  constexpr Permuted(D design, std::vector<std::uint32_t> rows, std::vector<std::uint32_t> columns)
      : design_(std::move(design)),
        rows_(std::move(rows)),
        columns_(std::move(columns)),
        row_places_(inverse(rows_, design_.outputs(), "rows")),
        column_places_(inverse(columns_, design_.inputs(), "columns")) {}

  constexpr std::size_t inputs() const { return design_.inputs(); }
  constexpr std::size_t outputs() const { return design_.outputs(); }
  constexpr std::size_t nnz() const { return design_.nnz(); }
  constexpr std::size_t value_count() const { return design_.value_count(); }
  constexpr std::size_t row_degree(std::size_t row) const { return design_.row_degree(rows_[row]); }
  constexpr std::size_t column_degree(std::size_t column) const {
    return design_.column_degree(columns_[column]);
  }
  constexpr std::size_t column(std::size_t row, std::size_t slot) const {
    return column_places_[design_.column(rows_[row], slot)];
  }
  constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    return row_places_[design_.row(columns_[column], slot)];
  }
  constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return design_.value_index(rows_[row], slot);
  }
  constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return design_.value_index_transposed(columns_[column], slot);
  }
  constexpr bool contains(std::size_t row, std::size_t column) const {
    return design_.contains(rows_[row], columns_[column]);
  }
  constexpr std::size_t row_slot(std::size_t row, std::size_t column) const requires SearchableDesign<D> {
    return design_.row_slot(rows_[row], columns_[column]);
  }
  constexpr std::size_t column_slot(std::size_t column, std::size_t row) const requires SearchableDesign<D> {
    return design_.column_slot(columns_[column], rows_[row]);
  }

 private:
  static constexpr std::vector<std::uint32_t> inverse(std::vector<std::uint32_t> const& order,
                                                      std::size_t size, char const* what) {
    std::vector<std::uint32_t> places(size, 0xffff'ffff);
    for (std::size_t i = 0; i < order.size() && order.size() == size; ++i) {
      if (order[i] < size) places[order[i]] = static_cast<std::uint32_t>(i);
    }
    for (std::uint32_t const place : places) {
      if (place == 0xffff'ffff)
        throw ContractViolation(std::string("permuted: the ") + what + " are no permutation of " +
                                std::to_string(size));
    }
    return places;
  }

  D design_;
  std::vector<std::uint32_t> rows_;
  std::vector<std::uint32_t> columns_;
  std::vector<std::uint32_t> row_places_;
  std::vector<std::uint32_t> column_places_;
};

template <Design D>
constexpr Permuted<D> permuted(D design, std::vector<std::uint32_t> rows,
                               std::vector<std::uint32_t> columns) {
  return Permuted<D>(std::move(design), std::move(rows), std::move(columns));
}

/// Copy number `seed` of a design: rows and columns in an order drawn from it; 0 is the design's own.
template <Design D>
Permuted<D> permuted(D design, std::uint64_t seed) {
  std::vector<std::uint32_t> rows(design.outputs());
  std::vector<std::uint32_t> columns(design.inputs());
  for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i] = i;
  for (std::uint32_t i = 0; i < columns.size(); ++i) columns[i] = i;
  if (seed != 0) {
    permutation(seed, 0, std::span{rows});
    permutation(seed, 1, std::span{columns});
  }
  return Permuted<D>(std::move(design), std::move(rows), std::move(columns));
}

}  // namespace weir::inline v1
