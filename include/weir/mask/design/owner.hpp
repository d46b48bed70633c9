#pragma once

#include <cstddef>

namespace weir::inline v1 {

/// What the designs that hold tables share: the functions of `Design`, taken from their layout.
template <class Owner>
class DesignOwner {
 public:
  constexpr std::size_t inputs() const { return layout().inputs(); }
  constexpr std::size_t outputs() const { return layout().outputs(); }
  constexpr std::size_t nnz() const { return layout().nnz(); }
  constexpr std::size_t value_count() const { return layout().value_count(); }
  constexpr std::size_t row_degree(std::size_t row) const { return layout().row_degree(row); }
  constexpr std::size_t column_degree(std::size_t column) const { return layout().column_degree(column); }
  constexpr std::size_t column(std::size_t row, std::size_t slot) const { return layout().column(row, slot); }
  constexpr std::size_t row(std::size_t column, std::size_t slot) const { return layout().row(column, slot); }
  constexpr std::size_t value_index(std::size_t row, std::size_t slot) const {
    return layout().value_index(row, slot);
  }
  constexpr std::size_t value_index_transposed(std::size_t column, std::size_t slot) const {
    return layout().value_index_transposed(column, slot);
  }
  constexpr std::size_t row_slot(std::size_t row, std::size_t column) const {
    return layout().row_slot(row, column);
  }
  constexpr std::size_t column_slot(std::size_t column, std::size_t row) const {
    return layout().column_slot(column, row);
  }
  constexpr bool contains(std::size_t row, std::size_t column) const {
    return layout().contains(row, column);
  }
  constexpr std::size_t table_bytes() const { return layout().table_bytes(); }

 private:
  constexpr auto layout() const { return static_cast<Owner const&>(*this).layout(); }
};

}  // namespace weir::inline v1
