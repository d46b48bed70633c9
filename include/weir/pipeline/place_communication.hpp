#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

namespace detail {

/// Puts sends and receives between the slots of one worker after another.
class CommunicationPlacer {
 public:
  constexpr CommunicationPlacer(TableView const& table, std::uint32_t prefetch)
      : table_(table), index_(table), prefetch_(prefetch), result_(table.properties()) {}

  constexpr ScheduleTable run() {
    for (worker_ = 0; worker_ < table_.workers(); ++worker_) {
      find_slots();
      result_.next_worker();
      for (std::size_t slot = 0; slot + 1 < slots_.size(); ++slot) {
        for (std::size_t ahead = slot == 0 ? 0 : slot + prefetch_; ahead <= slot + prefetch_; ++ahead) {
          for (Operation const& each : parts_of(ahead)) receive(each);
        }
        for (Operation const& each : parts_of(slot)) result_.add(each);
        for (Operation const& each : parts_of(slot)) send(each);
      }
    }
    return result_;
  }

 private:
  /// Where each slot begins, and the end.
  constexpr void find_slots() {
    std::span<Operation const> const operations = table_.worker(worker_);
    slots_.clear();
    for (std::size_t i = 0; i < operations.size(); ++i) {
      if (i == 0 || operations[i - 1].kind != OperationKind::pair) slots_.push_back(i);
    }
    slots_.push_back(operations.size());
  }

  /// Behind the last slot nothing.
  constexpr std::span<Operation const> parts_of(std::size_t slot) const {
    if (slot + 1 >= slots_.size()) return {};
    return table_.worker(worker_).subspan(slots_[slot], slots_[slot + 1] - slots_[slot]);
  }

  constexpr bool is_remote(Operation const& operation, std::uint32_t stage) const {
    return index_.worker_of(operation.direction, stage) != worker_;
  }
  constexpr void add(OperationKind kind, Operation operation) {
    operation.kind = kind;
    result_.add(operation);
  }
  constexpr void receive(Operation const& operation) {
    if (is_forward(operation) && operation.stage > 0 && is_remote(operation, operation.stage - 1u))
      add(OperationKind::receive_forward, operation);
    if (gives_input_gradient(operation) && operation.stage + 1u < table_.stages() &&
        is_remote(operation, operation.stage + 1u)) {
      add(OperationKind::receive_backward, operation);
    }
  }
  constexpr void send(Operation const& operation) {
    if (is_forward(operation) && operation.stage + 1u < table_.stages() &&
        is_remote(operation, operation.stage + 1u))
      add(OperationKind::send_forward, operation);
    if (gives_input_gradient(operation) && operation.stage > 0 && is_remote(operation, operation.stage - 1u))
      add(OperationKind::send_backward, operation);
  }

  TableView table_;
  OperationIndex index_;
  std::uint32_t prefetch_;
  ScheduleTable result_;
  std::uint32_t worker_ = 0;
  std::vector<std::size_t> slots_;
};

}  // namespace detail

/// A table of computation only with its communication: each send right behind its producer, each receive
/// `prefetch` slots before its consumer.
constexpr ScheduleTable place_communication(TableView const& table, std::uint32_t prefetch = 0) {
  return detail::CommunicationPlacer(table, prefetch).run();
}

}  // namespace weir::inline v1
