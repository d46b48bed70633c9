#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/mask/design.hpp"
#include "weir/mask/lambda_histogram.hpp"

namespace weir::inline v1 {

/// The parameters of a balanced incomplete block design: v inputs, b outputs, r ones per column, k per row,
/// any two columns in lambda rows.
struct DesignParameters {
  std::uint64_t v = 0;
  std::uint64_t b = 0;
  std::uint64_t r = 0;
  std::uint64_t k = 0;
  std::uint64_t lambda = 0;

  friend constexpr bool operator==(DesignParameters const&, DesignParameters const&) = default;
};

/// The least and the most.
struct DegreeRange {
  std::size_t least = 0;
  std::size_t most = 0;

  friend constexpr bool operator==(DegreeRange const&, DegreeRange const&) = default;
};

namespace detail {

template <class DegreeOf>
constexpr DegreeRange degree_range(std::size_t count, DegreeOf degree_of) {
  DegreeRange range = {degree_of(0), degree_of(0)};
  for (std::size_t i = 1; i < count; ++i) {
    std::size_t const degree = degree_of(i);
    if (degree < range.least) range.least = degree;
    if (degree > range.most) range.most = degree;
  }
  return range;
}

}  // namespace detail

template <Design D>
constexpr DegreeRange row_degrees(D const& design) {
  return detail::degree_range(design.outputs(), [&](std::size_t row) { return design.row_degree(row); });
}
template <Design D>
constexpr DegreeRange column_degrees(D const& design) {
  return detail::degree_range(design.inputs(),
                              [&](std::size_t column) { return design.column_degree(column); });
}

/// The parameters of a matrix that is a balanced incomplete block design on its inputs: both degrees are
/// constant, 2 <= k < v, and all pairs of inputs meet equally often, at least once. All zeros for any other.
///
/// Cost: for a design that of `lambda_histogram`; any other is most often known by its first column.
template <Design D>
constexpr DesignParameters certify(D const& design) {
  DegreeRange const rows = row_degrees(design);
  DegreeRange const columns = column_degrees(design);
  if (rows.least != rows.most || columns.least != columns.most) return {};
  if (rows.least < 2 || rows.least >= design.inputs()) return {};
  bool is_first = true;
  bool is_exact = true;
  std::uint64_t lambda = 0;
  detail::visit_meetings(design, [&](std::size_t c, std::vector<std::uint64_t> const& meetings) {
    for (std::size_t other = c + 1; other < meetings.size() && is_exact; ++other) {
      if (is_first) lambda = meetings[other];
      is_first = false;
      is_exact = meetings[other] == lambda;
    }
    return is_exact;
  });
  if (!is_exact || lambda == 0) return {};
  return {design.inputs(), design.outputs(), columns.least, rows.least, lambda};
}

}  // namespace weir::inline v1
