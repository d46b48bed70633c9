#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/design.hpp"
#include "weir/mask/design/cyclic.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"

namespace weir::inline v1 {

/// All entries that a design does not have: of (v, b, r, k, lambda) the design (v, b, b-r, v-k, b-2r+lambda).
/// Cost: O(outputs * inputs) time.
/// Errors: ContractViolation from 2^32 entries on, which only a design by groups or a cyclic one may have.
template <Design D>
constexpr IndexedDesign<> complement(D const& design) {
  std::size_t const entries = design.outputs() * design.inputs() - design.nnz();
  if (entries > detail::most_entries)
    throw ContractViolation("complement: " + std::to_string(entries) +
                            " entries, at most 2^32 - 1 would be right");
  std::vector<std::uint32_t> row_begin(design.outputs() + 1, 0);
  std::vector<std::uint32_t> columns;
  columns.reserve(entries);
  std::vector<std::size_t> last_row(design.inputs(), design.outputs());
  for (std::size_t r = 0; r < design.outputs(); ++r) {
    for (std::size_t slot = 0; slot < design.row_degree(r); ++slot) last_row[design.column(r, slot)] = r;
    for (std::uint32_t c = 0; c < design.inputs(); ++c) {
      if (last_row[c] != r) columns.push_back(c);
    }
    row_begin[r + 1] = static_cast<std::uint32_t>(columns.size());
  }
  return IndexedDesign<>(design.inputs(), std::move(row_begin), std::move(columns));
}

// Of these it has the same form.
constexpr CyclicDesign complement(CyclicDesign const& design) {
  return design.complement();
}
constexpr GroupDesign complement(GroupDesign const& design) {
  return design.complement();
}

}  // namespace weir::inline v1
