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

namespace detail {

/// An order of rows and columns.
struct Orders {
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> columns;
};

/// Drawn for a seed; attempts differ.
inline Orders drawn_orders(std::size_t outputs, std::size_t inputs, std::uint64_t seed,
                           std::uint32_t attempt) {
  Orders orders = {std::vector<std::uint32_t>(outputs), std::vector<std::uint32_t>(inputs)};
  for (std::uint32_t i = 0; i < outputs; ++i) orders.rows[i] = i;
  for (std::uint32_t i = 0; i < inputs; ++i) orders.columns[i] = i;
  if (seed == 0) return orders;
  permutation(seed, 2 * attempt, std::span{orders.rows});
  permutation(seed, 2 * attempt + 1, std::span{orders.columns});
  return orders;
}

/// Seeds below this give different copies of a small design; of a greater one they do anyhow.
inline constexpr std::uint64_t seeds_apart = 1000;

/// Where chance might draw a copy again, but there are more than 1,000: 7 rows have 5,040 orders, while a
/// design of 6 has 720 copies at most.
constexpr bool is_small(std::size_t outputs, std::size_t inputs) {
  return outputs >= 7 && outputs <= 10 && inputs <= 10;
}

/// The first orders drawn for `seed` that give none of the copies before it.
template <Design D>
Orders orders_apart(D const& design, std::uint64_t seed) {
  constexpr std::uint32_t most_attempts = 100;
  std::vector<std::vector<std::uint32_t>> seen;  // rows as bits
  for (std::uint64_t number = 0; true; ++number) {
    for (std::uint32_t attempt = 0; true; ++attempt) {
      Orders orders = drawn_orders(design.outputs(), design.inputs(), number, attempt);
      std::vector<std::uint32_t> mask(design.outputs());
      for (std::size_t r = 0; r < design.outputs(); ++r) {
        for (std::uint32_t c = 0; c < design.inputs(); ++c)
          mask[r] |= design.contains(orders.rows[r], orders.columns[c]) ? 1u << c : 0;
      }
      bool is_new = true;
      for (auto const& other : seen) is_new = is_new && other != mask;
      if (attempt == most_attempts) return drawn_orders(design.outputs(), design.inputs(), seed, 0);
      if (!is_new) continue;
      if (number == seed) return orders;
      seen.push_back(std::move(mask));
      break;
    }
  }
}

}  // namespace detail

/// Copy number `seed` of a design: rows and columns in an order drawn from it; 0 is the design's own. Seeds
/// below 1,000 give different copies where a design has so many.
template <Design D>
Permuted<D> permuted(D design, std::uint64_t seed) {
  bool const is_apart = seed < detail::seeds_apart && detail::is_small(design.outputs(), design.inputs());
  detail::Orders orders = is_apart ? detail::orders_apart(design, seed)
                                   : detail::drawn_orders(design.outputs(), design.inputs(), seed, 0);
  return Permuted<D>(std::move(design), std::move(orders.rows), std::move(orders.columns));
}

}  // namespace weir::inline v1
