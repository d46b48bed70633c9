#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/core/square_root.hpp"
#include "weir/exec/group_layout.hpp"
#include "weir/exec/tiled_layout.hpp"
#include "weir/mask/design.hpp"
#include "weir/mask/lambda_histogram.hpp"
#include "weir/mask/lanczos.hpp"

namespace weir::inline v1 {

namespace detail {

/// A mask as a linear map, with rows and columns scaled.
class MaskMap {
 public:
  template <class D>
  explicit MaskMap(D const& design) : rows_(design), columns_(design.inputs()) {}

  std::size_t rows() const { return rows_.begin.size() - 1; }
  std::size_t columns() const { return columns_; }
  std::vector<double> row_scale = {};     ///< all 1 if empty
  std::vector<double> column_scale = {};  ///< likewise

  void multiply(double const* x, double* y) const {
    for (std::size_t r = 0; r < rows(); ++r) {
      double sum = 0;
      for (std::size_t i = rows_.begin[r]; i < rows_.begin[r + 1]; ++i) {
        std::uint32_t const c = rows_.columns[i];
        sum += column_scale.empty() ? x[c] : x[c] * column_scale[c];
      }
      y[r] = row_scale.empty() ? sum : sum * row_scale[r];
    }
  }
  void multiply_transposed(double const* y, double* x) const {
    for (std::size_t c = 0; c < columns_; ++c) x[c] = 0;
    for (std::size_t r = 0; r < rows(); ++r) {
      double const value = row_scale.empty() ? y[r] : y[r] * row_scale[r];
      for (std::size_t i = rows_.begin[r]; i < rows_.begin[r + 1]; ++i) x[rows_.columns[i]] += value;
    }
    if (column_scale.empty()) return;
    for (std::size_t c = 0; c < columns_; ++c) x[c] *= column_scale[c];
  }

 private:
  RowLists rows_;
  std::size_t columns_;
};

/// The t x s matrix of a character w of the group: sums over the levels of (-1)^(bits of w & offset).
class CharacterMap {
 public:
  CharacterMap(GroupLayout const& layout, std::uint32_t character)
      : rows_(layout.shape.classes), columns_(layout.shape.groups), signs_(rows_ * columns_) {
    for (std::uint32_t a = 0; a < rows_; ++a) {
      for (std::uint32_t c = 0; c < columns_; ++c) {
        GroupLayout::Cell const cell = layout.cell(a, c);
        int sum = 0;
        for (std::uint32_t level = 0; level < layout.shape.levels; ++level) {
          sum += bits_set(character & layout.offset(cell, level)) % 2 == 0 ? 1 : -1;
        }
        signs_[a * columns_ + c] = static_cast<std::int16_t>(sum);
      }
    }
  }

  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  void multiply(double const* x, double* y) const {
    for (std::size_t a = 0; a < rows_; ++a) {
      double sum = 0;
      for (std::size_t c = 0; c < columns_; ++c) sum += x[c] * signs_[a * columns_ + c];
      y[a] = sum;
    }
  }
  void multiply_transposed(double const* y, double* x) const {
    for (std::size_t c = 0; c < columns_; ++c) x[c] = 0;
    for (std::size_t a = 0; a < rows_; ++a) {
      for (std::size_t c = 0; c < columns_; ++c) x[c] += y[a] * signs_[a * columns_ + c];
    }
  }

 private:
  std::size_t rows_;
  std::size_t columns_;
  std::vector<std::int16_t> signs_;
};

}  // namespace detail

/// The two largest singular values of a mask, to 1e-4 of each or better.
///
/// Cost: some ten to hundred products with the mask. A group design of XOR that is not cut is taken apart
/// into one small matrix for each character of the group.
template <Design D>
SingularValues singular_values(D const& design);

inline SingularValues singular_values(GroupLayout const& layout) {
  GroupShape const& shape = layout.shape;
  bool const is_whole = shape.outputs % shape.group == 0 && shape.inputs % shape.group == 0;
  if (shape.group == 1)
    return {square_root(static_cast<double>(shape.outputs) * static_cast<double>(shape.inputs)), 0};
  if (shape.prime != 2 || !is_whole) return detail::largest_singular_values(detail::MaskMap(layout));
  SingularValues values;
  values.first = shape.levels * square_root(static_cast<double>(shape.classes) * shape.groups);
  for (std::uint32_t character = 1; character < shape.group; ++character) {
    double const value = detail::largest_singular_value(detail::CharacterMap(layout, character));
    if (value > values.second) values.second = value;
  }
  return values;
}

/// Of a mask of tiles: those of the grid with each row and column weighed by how much of it is there.
template <class Grid>
SingularValues singular_values(TiledLayout<Grid> const& layout) {
  if (layout.inputs() % layout.block == 0 && layout.outputs() % layout.block == 0) {
    SingularValues const grid = singular_values(layout.grid);
    return {layout.block * grid.first, layout.block * grid.second};
  }
  detail::MaskMap map(layout.grid);
  for (std::size_t r = 0; r < map.rows(); ++r)
    map.row_scale.push_back(square_root(static_cast<double>(layout.height(r))));
  for (std::size_t c = 0; c < map.columns(); ++c)
    map.column_scale.push_back(square_root(static_cast<double>(layout.width(c))));
  return detail::largest_singular_values(map);
}

template <Design D>
SingularValues singular_values(D const& design) {
  if constexpr (requires { design.layout(); }) {
    return singular_values(design.layout());
  } else {
    return detail::largest_singular_values(detail::MaskMap(design));
  }
}

}  // namespace weir::inline v1
