#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// The table with a prediction of the weights before the first forward of each stage and period that reads
/// weights older than those its gradient will change.
constexpr ScheduleTable insert_predict(TableView const& table) {
  ScheduleTable result(table.properties());
  std::vector<std::uint32_t> next_period(2 * std::size_t{table.stages()}, 0);  // that has no prediction yet
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    result.next_worker();
    for (Operation const& operation : table.worker(worker)) {
      std::size_t const lane =
          operation.stage * std::size_t{2} + static_cast<std::size_t>(operation.direction);
      if (is_forward(operation) && operation.period > operation.version &&
          operation.period >= next_period[lane]) {
        next_period[lane] = operation.period + 1;
        Operation predict = operation;
        predict.kind = OperationKind::predict;
        result.add(predict);
      }
      result.add(operation);
    }
  }
  return result;
}

}  // namespace weir::inline v1
