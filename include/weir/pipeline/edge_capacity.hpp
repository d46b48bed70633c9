#pragma once

#include <cstdint>
#include <span>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/table_run.hpp"

namespace weir::inline v1 {

/// The least number of messages that every edge between two workers has to hold so that a valid table does
/// not deadlock. It does not depend on what operations cost. Sends may still wait for room.
///
/// Cost: runs the table once for each doubling up to the result, and as often again.
/// Errors: ContractViolation for a table that deadlocks whatever its edges hold.
constexpr std::uint32_t min_edge_capacity(TableView const& table, std::span<SkipEdge const> skips = {}) {
  OperationIndex const index(table);
  detail::TickCosts const no_time;
  auto const runs = [&](std::uint32_t capacity) {
    return detail::TableRun(table, index, no_time, capacity, skips).is_complete();
  };
  if (runs(0)) return 0;
  if (!runs(unlimited_capacity))
    throw ContractViolation(
        "min_edge_capacity: the table deadlocks; one that validate() accepts would be right");
  std::uint32_t too_small = 0;
  std::uint32_t enough = 1;
  while (!runs(enough)) {
    too_small = enough;
    enough *= 2;
  }
  while (enough - too_small > 1) {
    std::uint32_t const middle = too_small + (enough - too_small) / 2;
    (runs(middle) ? enough : too_small) = middle;
  }
  return enough;
}

}  // namespace weir::inline v1
