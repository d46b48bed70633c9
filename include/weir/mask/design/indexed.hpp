#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/indexed_layout.hpp"
#include "weir/mask/design.hpp"
#include "weir/mask/design/owner.hpp"

namespace weir::inline v1 {
namespace detail {

/// Of a mask that is kept as lists of entries.
inline constexpr std::size_t most_entries = 0xffff'ffff;

}  // namespace detail

/// A mask without a formula: its rows as lists of columns.
///
/// Cost: per entry two indices and a position of 4 bytes, per row and column 4 bytes.
/// Errors: ContractViolation for columns that do not ascend or are not there, and from 2^32 entries on.
template <std::unsigned_integral Index = std::uint32_t>
class IndexedDesign : public DesignOwner<IndexedDesign<Index>> {
 public:
  /// Row r has the columns `columns[row_begin[r]]` to `columns[row_begin[r + 1] - 1]`, ascending.
  constexpr IndexedDesign(std::size_t inputs, std::vector<std::uint32_t> row_begin,
                          std::vector<Index> columns)
      : inputs_(inputs), row_begin_(std::move(row_begin)), columns_(std::move(columns)) {
    check();
    column_begin_.resize(inputs_ + 1, 0);
    for (Index const column : columns_) ++column_begin_[column + std::size_t{1}];
    for (std::size_t c = 0; c < inputs_; ++c) column_begin_[c + 1] += column_begin_[c];
    std::vector<std::uint32_t> next(column_begin_.begin(), column_begin_.end());
    rows_.resize(columns_.size(), 0);
    positions_.resize(columns_.size(), 0);
    for (std::size_t r = 0; r + 1 < row_begin_.size(); ++r) {
      for (std::uint32_t i = row_begin_[r]; i < row_begin_[r + 1]; ++i) {
        std::uint32_t const at = next[columns_[i]]++;
        rows_[at] = static_cast<Index>(r);
        positions_[at] = i;
      }
    }
  }

  /// Valid as long as this design is.
  constexpr IndexedLayout<Index> layout() const {
    return {inputs_,           row_begin_.size() - 1, columns_.size(),
            row_begin_.data(), column_begin_.data(),  positions_.data(),
            columns_.data(),   rows_.data()};
  }

  /// The entries of any design.
  template <Design D>
  static constexpr IndexedDesign of(D const& design) {
    if (design.nnz() > detail::most_entries)
      refuse(std::to_string(design.nnz()) + " entries, at most 2^32 - 1 would be right");
    std::vector<std::uint32_t> row_begin(design.outputs() + 1, 0);
    std::vector<Index> columns(design.nnz(), 0);
    std::uint32_t at = 0;
    for (std::size_t r = 0; r < design.outputs(); ++r) {
      row_begin[r] = at;
      for (std::size_t slot = 0; slot < design.row_degree(r); ++slot) {
        Index const column = static_cast<Index>(design.column(r, slot));
        std::uint32_t place = at++;
        for (; place > row_begin[r] && columns[place - 1] > column; --place)
          columns[place] = columns[place - 1];
        columns[place] = column;
      }
    }
    row_begin[design.outputs()] = at;
    return IndexedDesign(design.inputs(), std::move(row_begin), std::move(columns));
  }

 private:
  constexpr void check() const {
    if (row_begin_.empty() || row_begin_.front() != 0 || row_begin_.back() != columns_.size())
      refuse("the rows do not end where the columns do");
    if (inputs_ > std::size_t{static_cast<Index>(-1)} + 1 ||
        row_begin_.size() - 1 > std::size_t{static_cast<Index>(-1)} + 1)
      refuse("sides of " + std::to_string(row_begin_.size() - 1) + " x " + std::to_string(inputs_) +
             ", at most " + std::to_string(std::size_t{static_cast<Index>(-1)} + 1) +
             " would be right for indices of " + std::to_string(sizeof(Index)) + " bytes");
    for (std::size_t r = 0; r + 1 < row_begin_.size(); ++r) {
      if (row_begin_[r] > row_begin_[r + 1] || row_begin_[r + 1] > columns_.size()) refuse("rows overlap");
      for (std::uint32_t i = row_begin_[r]; i < row_begin_[r + 1]; ++i) {
        if (columns_[i] >= inputs_ || (i > row_begin_[r] && columns_[i] <= columns_[i - 1]))
          refuse("the columns of a row must ascend and lie below the number of inputs");
      }
    }
  }

  [[noreturn]] static void refuse(std::string const& why) {
    throw ContractViolation("IndexedDesign: " + why);
  }

  std::size_t inputs_;
  std::vector<std::uint32_t> row_begin_;
  std::vector<Index> columns_;
  std::vector<std::uint32_t> column_begin_ = {};
  std::vector<std::uint32_t> positions_ = {};
  std::vector<Index> rows_ = {};
};

}  // namespace weir::inline v1
