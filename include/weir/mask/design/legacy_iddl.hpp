#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/mask/any_shape.hpp"
#include "weir/mask/design/indexed.hpp"

namespace weir::inline v1 {

/// The mask of the prototype that this library replaces, for comparison: lines of a plane whose order is
/// ceil(sqrt(inputs)), with arithmetic modulo the order, cut to the inputs there are. It is a block design
/// only where the order is a prime and the shape that of the plane; else it may leave inputs without any
/// output.
///
/// Source: [iddl].
constexpr IndexedDesign<> legacy_iddl(std::size_t outputs, std::size_t inputs) {
  detail::check_sides(outputs, inputs);
  std::size_t q = 1;
  while (q * q < inputs) ++q;
  std::vector<std::uint32_t> row_begin(outputs + 1, 0);
  std::vector<std::uint32_t> columns;
  for (std::size_t row = 0; row < outputs; ++row) {
    std::size_t const line = row % (q * (q + 1));
    std::size_t const slope = line / q;
    std::size_t const j = line % q;
    for (std::size_t u = 0; u < q; ++u) {
      std::size_t const column =
          slope == 0 ? j * q + u : u * q + (slope == 1 ? j : ((slope - 1) * u + j) % q);
      if (column < inputs) columns.push_back(static_cast<std::uint32_t>(column));
    }
    row_begin[row + 1] = static_cast<std::uint32_t>(columns.size());
  }
  return IndexedDesign<>(inputs, std::move(row_begin), std::move(columns));
}

}  // namespace weir::inline v1
