#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// Which worker an operation of communication sends to or receives from.
constexpr std::uint32_t peer_of(OperationIndex const& index, Operation const& operation) {
  bool const is_next =
      operation.kind == OperationKind::send_forward || operation.kind == OperationKind::receive_backward;
  return index.worker_of(operation.direction, is_next ? operation.stage + 1u : operation.stage - 1u);
}

/// The table with the communication between two slots ordered by peer, so that what two workers send each
/// other at the same step stands together, the receives behind the sends, and can be issued at once. A
/// message never leaves the place between its slots, and those with one peer keep their order otherwise.
constexpr ScheduleTable group_opposite_sends(TableView const& table) {
  OperationIndex const index(table);
  ScheduleTable result(table.properties());
  result.reserve(table.operations().size());
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    result.next_worker();
    std::span<Operation const> const operations = table.worker(worker);
    for (std::size_t begin = 0; begin < operations.size();) {
      std::size_t end = begin;
      while (end < operations.size() && is_communication(operations[end])) ++end;
      if (end == begin) {
        result.add(operations[begin++]);
        continue;
      }
      std::vector<std::uint32_t> peers;  // in the order in which they occur
      for (std::size_t i = begin; i < end; ++i) {
        std::uint32_t const peer = peer_of(index, operations[i]);
        bool is_known = false;
        for (std::uint32_t const other : peers) is_known = is_known || other == peer;
        if (!is_known) peers.push_back(peer);
      }
      for (std::uint32_t const peer : peers) {
        for (bool const sends : {true, false}) {
          for (std::size_t i = begin; i < end; ++i) {
            if (is_send(operations[i]) == sends && peer_of(index, operations[i]) == peer)
              result.add(operations[i]);
          }
        }
      }
      begin = end;
    }
  }
  return result;
}

}  // namespace weir::inline v1
