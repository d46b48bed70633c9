#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/stage_bytes.hpp"

namespace weir::inline v1 {

/// The table with a recomputation of the forward before each backward of the stages that do not keep
/// activations. It stands right before the backward or, if that is part of a pair, before the pair.
constexpr ScheduleTable insert_recompute(TableView const& table, Recompute recompute) {
  ScheduleTable result(table.properties());
  auto const insert = [&](Operation operation) {
    bool const is_last = operation.stage + 1u == table.stages();
    if (!gives_input_gradient(operation) || recompute == Recompute::never) return;
    if (recompute == Recompute::except_last && is_last) return;
    operation.kind = OperationKind::recompute;
    result.add(operation);
  };
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    result.next_worker();
    std::span<Operation const> const operations = table.worker(worker);
    for (std::size_t i = 0; i < operations.size(); ++i) {
      bool const is_pair = operations[i].kind == OperationKind::pair && i + 1 < operations.size();
      insert(operations[is_pair ? i + 1 : i]);
      result.add(operations[i]);
      if (is_pair) result.add(operations[++i]);
    }
  }
  return result;
}

}  // namespace weir::inline v1
