#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// Where among a table's operations those of a stage and micro-batch are, and on which worker a stage is. Of
/// what occurs twice, the first. Operations of stages or micro-batches that the table does not have are left
/// out.
///
/// Cost: 12 bytes per stage and micro-batch, and direction if there are two.
/// Errors: ContractViolation for a table with more than 2^26 of these.
class OperationIndex {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;
  static constexpr std::uint64_t most_cells = std::uint64_t{1} << 26;

  constexpr explicit OperationIndex(TableView const& table)
      : stages_(table.stages()), micro_batches_(table.micro_batches()) {
    for (Operation const& operation : table.operations()) {
      if (operation.direction == Direction::reverse) directions_ = 2;
    }
    if (std::uint64_t{stages_} * micro_batches_ * directions_ > most_cells)
      throw ContractViolation(
          "OperationIndex: a table of more than 2^26 cells; a smaller one would be right");
    std::size_t const cells = std::size_t{stages_} * micro_batches_ * directions_;
    forward_.assign(cells, none);
    input_.assign(cells, none);
    weight_.assign(cells, none);
    workers_.assign(std::size_t{stages_} * directions_, none);
    for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
      std::size_t position = table.begin_of(worker);
      for (Operation const& operation : table.worker(worker)) {
        enter(operation, static_cast<std::uint32_t>(position++), worker);
      }
    }
  }

  constexpr std::uint32_t directions() const { return directions_; }
  constexpr bool has(Operation const& operation) const {
    return operation.stage < stages_ && operation.micro_batch < micro_batches_;
  }

  /// Position of F.
  constexpr std::uint32_t forward(Direction direction, std::uint32_t stage, std::uint32_t micro_batch) const {
    return forward_[cell(direction, stage, micro_batch)];
  }
  /// Position of B or I.
  constexpr std::uint32_t input(Direction direction, std::uint32_t stage, std::uint32_t micro_batch) const {
    return input_[cell(direction, stage, micro_batch)];
  }
  /// Position of B or W.
  constexpr std::uint32_t weight(Direction direction, std::uint32_t stage, std::uint32_t micro_batch) const {
    return weight_[cell(direction, stage, micro_batch)];
  }
  /// The worker that a stage is on, `none` if it does not occur.
  constexpr std::uint32_t worker_of(Direction direction, std::uint32_t stage) const {
    return workers_[plane(direction) * stages_ + stage];
  }
  /// The position that the operation has or, if there is another of its stage, micro-batch and kind, that
  /// one's.
  constexpr std::uint32_t position(Operation const& operation) const {
    if (!has(operation)) return none;
    if (is_forward(operation)) return forward(operation.direction, operation.stage, operation.micro_batch);
    if (gives_input_gradient(operation))
      return input(operation.direction, operation.stage, operation.micro_batch);
    return weight(operation.direction, operation.stage, operation.micro_batch);
  }

 private:
  constexpr std::size_t plane(Direction direction) const {
    return directions_ == 2 && direction == Direction::reverse ? 1 : 0;
  }
  constexpr std::size_t cell(Direction direction, std::uint32_t stage, std::uint32_t micro_batch) const {
    return (plane(direction) * stages_ + stage) * micro_batches_ + micro_batch;
  }
  constexpr void enter(Operation const& operation, std::uint32_t position, std::uint32_t worker) {
    if (!is_compute(operation) || !has(operation)) return;
    std::uint32_t& home = workers_[plane(operation.direction) * stages_ + operation.stage];
    if (home == none) home = worker;
    std::size_t const at = cell(operation.direction, operation.stage, operation.micro_batch);
    auto const take = [position](std::uint32_t& place) {
      if (place == none) place = position;
    };
    if (is_forward(operation)) take(forward_[at]);
    if (gives_input_gradient(operation)) take(input_[at]);
    if (gives_weight_gradient(operation)) take(weight_[at]);
  }

  std::uint32_t stages_;
  std::uint32_t micro_batches_;
  std::uint32_t directions_ = 1;
  std::vector<std::uint32_t> forward_;
  std::vector<std::uint32_t> input_;
  std::vector<std::uint32_t> weight_;
  std::vector<std::uint32_t> workers_;
};

}  // namespace weir::inline v1
