#pragma once

#include <cstddef>
#include <utility>

#include "weir/mask/design.hpp"

namespace weir::inline v1 {

/// The transposed design, over the same values: inputs and outputs change places and no data moves.
template <Design D>
class Dual {
 public:
  constexpr explicit Dual(D design) : design_(std::move(design)) {}

  constexpr D const& original() const { return design_; }

  constexpr std::size_t inputs() const { return design_.outputs(); }
  constexpr std::size_t outputs() const { return design_.inputs(); }
  constexpr std::size_t nnz() const { return design_.nnz(); }
  constexpr std::size_t value_count() const { return design_.value_count(); }
  constexpr std::size_t row_degree(std::size_t row) const { return design_.column_degree(row); }
  constexpr std::size_t column_degree(std::size_t column) const { return design_.row_degree(column); }
  constexpr std::size_t column(std::size_t row, std::size_t slot) const { return design_.row(row, slot); }
  constexpr std::size_t row(std::size_t column, std::size_t slot) const {
    return design_.column(column, slot);
  }
  constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return design_.value_index_transposed(row, slot);
  }
  constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return design_.value_index(column, slot);
  }
  constexpr bool contains(std::size_t row, std::size_t column) const { return design_.contains(column, row); }
  constexpr std::size_t row_slot(std::size_t row, std::size_t column) const requires SearchableDesign<D> {
    return design_.column_slot(row, column);
  }
  constexpr std::size_t column_slot(std::size_t column, std::size_t row) const requires SearchableDesign<D> {
    return design_.row_slot(column, row);
  }

 private:
  D design_;
};

template <Design D>
constexpr Dual<D> dual(D design) {
  return Dual<D>(std::move(design));
}
template <Design D>
constexpr D dual(Dual<D> const& design) {
  return design.original();
}

}  // namespace weir::inline v1
