#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/random.hpp"
#include "weir/core/smaller.hpp"
#include "weir/mask/any_shape.hpp"
#include "weir/mask/design/complement.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {
namespace detail {

inline constexpr std::uint32_t random_mask_site = 0x6d61'736b;

inline void check_indexed_sides(std::size_t outputs, std::size_t inputs) {
  check_sides(outputs, inputs);
  if (outputs > most_entries) refuse_parameter("outputs", outputs, "at most 2^32 - 1 would be right");
  if (inputs > most_entries) refuse_parameter("inputs", inputs, "at most 2^32 - 1 would be right");
}

struct Position {
  std::uint32_t row;
  std::uint32_t column;

  constexpr bool comes_before(Position const& other) const {
    return row != other.row ? row < other.row : column < other.column;
  }
};

/// Sorts by one index, keeping the order of equals.
template <class Key>
void counting_sort(std::vector<Position>& positions, std::size_t keys, Key key) {
  std::vector<std::size_t> next(keys + 1, 0);
  for (Position const& p : positions) ++next[key(p) + std::size_t{1}];
  for (std::size_t k = 0; k < keys; ++k) next[k + 1] += next[k];
  std::vector<Position> sorted(positions.size());
  for (Position const& p : positions) sorted[next[key(p)]++] = p;
  positions = std::move(sorted);
}

/// All positions of two sorted lists, each once.
inline std::vector<Position> united(std::vector<Position> const& left, std::vector<Position> const& right) {
  std::vector<Position> all;
  all.reserve(left.size() + right.size());
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < left.size() || j < right.size()) {
    bool const takes_left = j == right.size() || (i < left.size() && left[i].comes_before(right[j]));
    Position const next = takes_left ? left[i++] : right[j++];
    if (all.empty() || all.back().comes_before(next)) all.push_back(next);
  }
  return all;
}

}  // namespace detail

/// A uniform choice of `nnz` positions. Degrees are left to chance: rows and columns may be dead.
///
/// Errors: ContractViolation where there are fewer positions, or from 2^32 entries on.
inline IndexedDesign<> random_mask(std::size_t outputs, std::size_t inputs, std::size_t nnz,
                                   std::uint64_t seed) {
  detail::check_indexed_sides(outputs, inputs);
  std::size_t const most = detail::smaller(outputs * inputs, detail::most_entries);
  if (nnz > most) {
    detail::refuse_parameter("nnz", nnz,
                             "at most " + std::to_string(most) +
                                 (most < detail::most_entries ? ", the positions," : "") + " would be right");
  }
  if (outputs * inputs - nnz < nnz)
    return complement(random_mask(outputs, inputs, outputs * inputs - nnz, seed));

  // Positions are drawn until there are enough different ones.
  detail::WordSequence words{{.seed = seed, .site = detail::random_mask_site}};
  std::vector<detail::Position> positions;
  while (positions.size() < nnz) {
    std::vector<detail::Position> drawn(nnz - positions.size());
    for (detail::Position& p : drawn) {
      p.row = words.below(static_cast<std::uint32_t>(outputs));
      p.column = words.below(static_cast<std::uint32_t>(inputs));
    }
    detail::counting_sort(drawn, inputs, [](detail::Position const& p) { return p.column; });
    detail::counting_sort(drawn, outputs, [](detail::Position const& p) { return p.row; });
    positions = detail::united(positions, drawn);
  }
  std::vector<std::uint32_t> row_begin(outputs + 1, 0);
  std::vector<std::uint32_t> columns;
  columns.reserve(nnz);
  for (detail::Position const& p : positions) {
    ++row_begin[p.row + std::size_t{1}];
    columns.push_back(p.column);
  }
  for (std::size_t r = 0; r < outputs; ++r) row_begin[r + 1] += row_begin[r];
  return IndexedDesign<>(inputs, std::move(row_begin), std::move(columns));
}

}  // namespace weir::inline v1
