#pragma once

#include <cstdint>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// The table with the operations that `keeps` says.
template <class Keeps>
constexpr ScheduleTable filtered(TableView const& table, Keeps const& keeps) {
  ScheduleTable result(table.properties());
  result.reserve(table.operations().size());
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    result.next_worker();
    for (Operation const& operation : table.worker(worker)) {
      if (keeps(operation)) result.add(operation);
    }
  }
  return result;
}

/// The table without what passes or files have added to forwards and backwards.
constexpr ScheduleTable compute_only(TableView const& table) {
  return filtered(table, [](Operation const& operation) { return is_compute(operation); });
}

}  // namespace weir::inline v1
