#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/smaller.hpp"
#include "weir/mask/any_shape.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/prime_power.hpp"

namespace weir::inline v1 {
namespace detail {

/// The order of the plane that the prototype's mask of so many inputs is made of.
constexpr std::size_t legacy_order(std::size_t inputs) {
  std::size_t const root = integer_root(inputs);
  return root * root < inputs ? root + 1 : root;
}

constexpr std::size_t legacy_row_degree(std::size_t inputs, std::size_t row) {
  std::size_t const q = legacy_order(inputs);
  std::size_t const slope = row / q % (q + 1);
  std::size_t const j = row % q;
  if (slope == 0) return smaller(inputs - smaller(j * q, inputs), q);
  std::size_t const u = inputs / q;  // what is before is whole, and what comes behind has no input
  std::size_t const column = u * q + (slope == 1 ? j : ((slope - 1) * u + j) % q);
  return u + (u < q && column < inputs ? 1 : 0);
}

/// Of every q rows each input is in one.
constexpr std::size_t legacy_entries(std::size_t outputs, std::size_t inputs) {
  std::size_t const q = legacy_order(inputs);
  std::size_t entries = outputs / q * inputs;
  for (std::size_t row = outputs - outputs % q; row < outputs; ++row)
    entries += legacy_row_degree(inputs, row);
  return entries;
}

/// How many rows have at most 2^32 - 1 entries.
constexpr std::size_t most_legacy_outputs(std::size_t inputs) {
  std::size_t outputs = most_entries / inputs * legacy_order(inputs);
  std::size_t left = most_entries % inputs;
  while (legacy_row_degree(inputs, outputs) <= left) left -= legacy_row_degree(inputs, outputs++);
  return outputs;
}

}  // namespace detail

/// The mask of the prototype that this library replaces, for comparison: lines of a plane whose order is
/// ceil(sqrt(inputs)), with arithmetic modulo the order, cut to the inputs there are. It is a block design
/// only where the order is a prime and the shape that of the plane; else it may leave inputs without any
/// output.
///
/// Errors: ContractViolation from 2^32 entries on.
/// Source: [iddl].
constexpr IndexedDesign<> legacy_iddl(std::size_t outputs, std::size_t inputs) {
  detail::check_sides(outputs, inputs);
  if (inputs > detail::most_entries)
    detail::refuse_parameter("inputs", inputs, "at most 2^32 - 1 would be right");
  if (outputs > detail::most_legacy_outputs(inputs)) {
    detail::refuse_parameter("outputs", outputs,
                             "at most " + std::to_string(detail::most_legacy_outputs(inputs)) +
                                 " would be right, for 2^32 - 1 entries");
  }
  std::size_t const q = detail::legacy_order(inputs);
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
