#pragma once

#include <cstdint>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/update_counter.hpp"

namespace weir::inline v1 {

/// What is inserted behind the last weight gradient of a period.
enum class UpdateOperations : std::uint8_t { update, reduce, reduce_and_update };

/// The table with the updates of each stage, and the reductions of its gradients over replicas, where they
/// are due: directly behind the last weight gradient of the period. Their `period` is the update's number,
/// the `version` of an update is the one that it makes, and the micro-batch is that of the gradient before
/// it.
constexpr ScheduleTable insert_updates(TableView const& table,
                                       UpdateOperations operations = UpdateOperations::update) {
  ScheduleTable result(table.properties());
  UpdateCounter counter(table);
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    result.next_worker();
    for (Operation const& operation : table.worker(worker)) {
      result.add(operation);
      std::uint32_t const before = counter.updates(operation);
      if (!counter.pass(operation)) continue;
      for (std::uint32_t number = before; number < counter.updates(operation); ++number) {
        Operation inserted = operation;
        inserted.period = number;
        inserted.version = number;
        inserted.kind = OperationKind::reduce;
        if (operations != UpdateOperations::update) result.add(inserted);
        inserted.version = number + 1;
        inserted.kind = OperationKind::update;
        if (operations != UpdateOperations::reduce) result.add(inserted);
      }
    }
  }
  return result;
}

}  // namespace weir::inline v1
