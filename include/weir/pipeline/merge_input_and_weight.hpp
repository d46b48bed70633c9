#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// The table with a whole backward in place of each gradient of the input that the gradient of the weights
/// follows directly.
constexpr ScheduleTable merge_input_and_weight(TableView const& table) {
  ScheduleTable result(table.properties());
  result.reserve(table.operations().size());
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    result.next_worker();
    std::span<Operation const> const operations = table.worker(worker);
    for (std::size_t i = 0; i < operations.size(); ++i) {
      Operation merged = operations[i];
      if (merged.kind == OperationKind::backward_input && i + 1 < operations.size()) {
        Operation weight = operations[i];
        weight.kind = OperationKind::backward_weight;
        if (operations[i + 1] == weight) {
          merged.kind = OperationKind::backward;
          ++i;
        }
      }
      result.add(merged);
    }
  }
  return result;
}

}  // namespace weir::inline v1
