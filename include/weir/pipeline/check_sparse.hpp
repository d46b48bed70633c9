#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/validation.hpp"
#include "weir/trace/merge_sort.hpp"

namespace weir::inline v1::detail {

/// Names what is missing in a table that has far less operations than stages times micro-batches, and nothing
/// else.
inline void check_sparse(TableView const& table, Validation& result) {
  constexpr std::uint64_t has_forward = 1;
  constexpr std::uint64_t has_input = 2;
  constexpr std::uint64_t has_weight = 4;
  struct Cell {
    std::uint64_t key;  // stage, then micro-batch
    std::uint64_t has;
  };
  std::vector<Cell> cells;
  for (Operation const& operation : table.operations()) {
    if (!is_compute(operation) || operation.stage >= table.stages() ||
        operation.micro_batch >= table.micro_batches())
      continue;
    cells.push_back({std::uint64_t{operation.stage} * table.micro_batches() + operation.micro_batch,
                     (is_forward(operation) ? has_forward : 0) |
                         (gives_input_gradient(operation) ? has_input : 0) |
                         (gives_weight_gradient(operation) ? has_weight : 0)});
  }
  merge_sort(cells, [](Cell const& left, Cell const& right) { return left.key < right.key; });

  std::uint64_t const all = std::uint64_t{table.stages()} * table.micro_batches();
  auto const check = [&](std::uint64_t key, std::uint64_t has) {
    auto const miss = [&](OperationKind kind) {
      result.add({ViolationCode::missing, ViolationKind::cell,
                  Operation{kind, Direction::forward, static_cast<std::uint16_t>(key / table.micro_batches()),
                            static_cast<std::uint32_t>(key % table.micro_batches())}});
    };
    if ((has & has_forward) == 0) miss(OperationKind::forward);
    if ((has & (has_input | has_weight)) == (has_input | has_weight)) return;
    miss((has & has_input) != 0    ? OperationKind::backward_weight
         : (has & has_weight) != 0 ? OperationKind::backward_input
                                   : OperationKind::backward);
  };
  std::uint64_t next = 0;
  auto const skip_to = [&](std::uint64_t key) {
    while (next < key && !result.is_full()) check(next++, 0);
    result.add_unnamed(ViolationCode::missing, static_cast<std::size_t>(2 * (key - next)));
    next = key;
  };
  for (std::size_t i = 0; i < cells.size();) {
    std::uint64_t const key = cells[i].key;
    std::uint64_t has = 0;
    for (; i < cells.size() && cells[i].key == key; ++i) has |= cells[i].has;
    skip_to(key);
    check(key, has);
    ++next;
  }
  skip_to(all);
}

}  // namespace weir::inline v1::detail
