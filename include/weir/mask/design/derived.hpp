#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/design.hpp"
#include "weir/mask/design/indexed.hpp"

namespace weir::inline v1 {
namespace detail {

/// A design without its row 0, and of its columns either those that row 0 has or the others.
template <class D>
constexpr IndexedDesign<> without_first_row(D const& design, bool keeps_its_columns) {
  if (design.outputs() != design.inputs())
    throw ContractViolation("derived and residual designs: the design must be symmetric, but it has " +
                            std::to_string(design.outputs()) + " outputs and " +
                            std::to_string(design.inputs()) + " inputs");
  constexpr std::uint32_t gone = 0xffff'ffff;
  std::vector<std::uint32_t> place(design.inputs(), keeps_its_columns ? gone : 0);
  for (std::size_t slot = 0; slot < design.row_degree(0); ++slot)
    place[design.column(0, slot)] = keeps_its_columns ? 0 : gone;
  std::uint32_t kept = 0;
  for (std::uint32_t& p : place) p = p == gone ? gone : kept++;

  std::vector<std::uint32_t> row_begin(design.outputs(), 0);
  std::vector<std::uint32_t> columns;
  for (std::size_t r = 1; r < design.outputs(); ++r) {
    for (std::size_t slot = 0; slot < design.row_degree(r); ++slot) {
      std::uint32_t const column = place[design.column(r, slot)];
      if (column == gone) continue;
      columns.push_back(column);
      for (std::size_t at = columns.size() - 1; at > row_begin[r - 1] && columns[at] < columns[at - 1]; --at)
        columns[at] = std::exchange(columns[at - 1], columns[at]);
    }
    row_begin[r] = static_cast<std::uint32_t>(columns.size());
  }
  return IndexedDesign<>(kept, std::move(row_begin), std::move(columns));
}

}  // namespace detail

/// Of a symmetric design (v, k, lambda) with lambda >= 2: (k, v-1, k-1, lambda, lambda-1). Row 0 is dropped
/// and its columns are kept.
///
/// Errors: ContractViolation where the design is not symmetric.
template <Design D>
constexpr IndexedDesign<> derived(D const& design) {
  return detail::without_first_row(design, true);
}

}  // namespace weir::inline v1
