#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// Whether messages are received in the order in which they are sent, so that a transport needs no tags on ..
struct FifoOrder {
  bool per_stage = true;        ///< .. one queue for each pair of workers, F or B, and stage and direction
  bool per_edge = true;         ///< .. one for each pair of workers and F or B
  bool per_worker_pair = true;  ///< .. a single one for each pair of workers
};

/// Of a valid table. Cost: linear in the operations.
constexpr FifoOrder fifo_order(TableView const& table) {
  OperationIndex const index(table);
  struct Queue {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::uint32_t channel = 0;
    std::uint32_t sent = 0;
    std::uint32_t received = 0;
  };
  // The number that each message has among those sent on its queue is kept with its producer.
  auto const is_in_order = [&](auto const& channel_of) {
    std::vector<std::uint32_t> number(table.operations().size(), 0);
    std::vector<std::vector<Queue>> queues(table.workers());  // of each sender
    auto const queue = [&queues](std::uint32_t from, std::uint32_t to, std::uint32_t channel) -> Queue& {
      for (Queue& candidate : queues[from]) {
        if (candidate.to == to && candidate.channel == channel) return candidate;
      }
      queues[from].push_back({from, to, channel});
      return queues[from].back();
    };
    for (bool const is_sending : {true, false}) {
      for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
        std::size_t position = table.begin_of(worker);
        for (Operation const& operation : table.worker(worker)) {
          std::size_t const at = position++;
          bool const ahead = is_forward(operation);
          if (!ahead && !gives_input_gradient(operation)) continue;
          bool const is_first = operation.stage == 0;
          bool const is_last = operation.stage + 1u == table.stages();
          if (is_sending == ahead ? is_last : is_first) continue;
          std::uint32_t const other = is_sending == ahead ? operation.stage + 1u : operation.stage - 1u;
          std::uint32_t const peer = index.worker_of(operation.direction, other);
          if (peer == worker) continue;
          if (is_sending) {
            number[at] = queue(worker, peer, channel_of(ahead, operation.direction, operation.stage)).sent++;
          } else {
            std::uint32_t const producer =
                ahead ? index.forward(operation.direction, other, operation.micro_batch)
                      : index.input(operation.direction, other, operation.micro_batch);
            if (queue(peer, worker, channel_of(ahead, operation.direction, other)).received++ !=
                number[producer])
              return false;
          }
        }
      }
    }
    return true;
  };
  return {is_in_order([](bool ahead, Direction direction, std::uint32_t stage) {
            return (stage * 2 + static_cast<std::uint32_t>(direction)) * 2 + (ahead ? 1 : 0);
          }),
          is_in_order([](bool ahead, Direction, std::uint32_t) { return ahead ? 1u : 0u; }),
          is_in_order([](bool, Direction, std::uint32_t) { return 0u; })};
}

}  // namespace weir::inline v1
