#pragma once

#include "weir/pipeline/compute_only.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// The forwards of a table, for evaluation: all of the same, latest weights.
constexpr ScheduleTable drop_backwards(TableView const& table) {
  ScheduleTable result = filtered(table, [](Operation const& operation) { return is_forward(operation); });
  result.properties().synchronous = true;
  result.properties().period = table.micro_batches();
  for (Operation& operation : result.operations()) {
    operation.kind = OperationKind::forward;
    operation.version = 0;
    operation.period = 0;
  }
  return result;
}

}  // namespace weir::inline v1
