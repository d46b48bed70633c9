#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// Counts the updates of each stage along the table's operations: one comes directly after the last weight
/// gradient of its period and of those before.
///
/// Cost: 4 bytes per stage and period, and direction if there are two.
class UpdateCounter {
 public:
  constexpr explicit UpdateCounter(TableView const& table)
      : stages_(table.stages()),
        periods_(table.period() == 0 ? 0 : (table.micro_batches() + table.period() - 1) / table.period()) {
    std::size_t directions = 1;
    for (Operation const& operation : table.operations()) {
      if (operation.direction == Direction::reverse) directions = 2;
    }
    left_.assign(directions * stages_ * periods_, 0);
    updates_.assign(directions * stages_, 0);
    for (Operation const& operation : table.operations()) {
      if (counts(operation)) ++left_[lane(operation) * periods_ + operation.period];
    }
  }

  /// Of the stage and direction of an operation, so far.
  constexpr std::uint32_t updates(Operation const& operation) const { return updates_[lane(operation)]; }

  /// Takes note of the next operation of a worker. Returns whether updates follow it.
  constexpr bool pass(Operation const& operation) {
    if (!counts(operation)) return false;
    std::size_t const at = lane(operation);
    --left_[at * periods_ + operation.period];
    std::uint32_t const before = updates_[at];
    while (updates_[at] < periods_ && left_[at * periods_ + updates_[at]] == 0) ++updates_[at];
    return updates_[at] != before;
  }

  constexpr std::uint32_t periods() const { return periods_; }

 private:
  constexpr bool counts(Operation const& operation) const {
    return gives_weight_gradient(operation) && operation.stage < stages_ && operation.period < periods_;
  }
  constexpr std::size_t lane(Operation const& operation) const {
    return (operation.direction == Direction::reverse ? stages_ : 0u) + operation.stage;
  }

  std::uint32_t stages_;
  std::uint32_t periods_;
  std::vector<std::uint32_t> left_;
  std::vector<std::uint32_t> updates_;
};

}  // namespace weir::inline v1
