#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/skip_edge.hpp"
#include "weir/pipeline/validation.hpp"

namespace weir::inline v1::detail {

/// What can be said of a table without running it: whether every operation is there once, on one worker, and
/// behind those it needs on that worker.
class CellCheck {
 public:
  constexpr CellCheck(TableView const& table, OperationIndex const& index, std::span<SkipEdge const> skips,
                      Validation& result)
      : table_(table), index_(index), skips_(skips), result_(result) {}

  constexpr void run() {
    check_directions();
    check_missing();
    reported_.assign(std::size_t{table_.stages()} * 2, OperationIndex::none);
    for (std::uint32_t worker = 0; worker < table_.workers(); ++worker) {
      worker_ = worker;
      begin_ = table_.begin_of(worker);
      end_ = table_.begin_of(worker + std::size_t{1});
      for (std::size_t position = begin_; position < end_; ++position) {
        Operation const& operation = table_.operations()[position];
        if (!is_compute(operation)) continue;
        if (!index_.has(operation)) {
          result_.add({ViolationCode::placement,
                       ViolationKind::outside,
                       operation,
                       {},
                       worker,
                       0,
                       table_.stages(),
                       table_.micro_batches()});
          continue;
        }
        check_duplicate(operation, position);
        check_placement(operation);
        check_order(operation, position);
      }
    }
  }

 private:
  static constexpr std::uint32_t none = OperationIndex::none;
  static constexpr std::uint8_t undecided = 2;

  /// Counting a pair as one.
  constexpr std::size_t slot_of(std::size_t position) const {
    std::size_t slot = 0;
    for (std::size_t i = begin_; i < position; ++i) slot += begins_pair(i) ? 0 : 1;
    return slot;
  }
  constexpr bool begins_pair(std::size_t position) const {
    return table_.operations()[position].kind == OperationKind::pair && position + 1 < end_;
  }

  constexpr void check_directions() {
    if (index_.directions() == 1) return;
    direction_of_.assign(table_.micro_batches(), undecided);
    std::vector<std::size_t> first(table_.micro_batches(), 0);
    std::vector<std::uint8_t> is_reported(table_.micro_batches(), 0);
    for (std::size_t i = 0; i < table_.operations().size(); ++i) {
      Operation const& operation = table_.operations()[i];
      if (!is_compute(operation) || !index_.has(operation)) continue;
      std::uint8_t& direction = direction_of_[operation.micro_batch];
      if (direction == undecided) {
        direction = static_cast<std::uint8_t>(operation.direction);
        first[operation.micro_batch] = i;
      } else if (direction != static_cast<std::uint8_t>(operation.direction) &&
                 is_reported[operation.micro_batch] == 0) {
        is_reported[operation.micro_batch] = 1;
        std::size_t const other = first[operation.micro_batch];
        result_.add({ViolationCode::placement, ViolationKind::two_directions, table_.operations()[other],
                     operation, table_.worker_at(other), table_.worker_at(i)});
      }
    }
  }

  constexpr void check_missing() {
    for (std::uint32_t stage = 0; stage < table_.stages(); ++stage) {
      for (std::uint32_t j = 0; j < table_.micro_batches(); ++j) {
        bool has_forward = false;
        bool has_input = false;
        bool has_weight = false;
        for (std::uint32_t plane = 0; plane < index_.directions(); ++plane) {
          Direction const direction = static_cast<Direction>(plane);
          has_forward |= index_.forward(direction, stage, j) != none;
          has_input |= index_.input(direction, stage, j) != none;
          has_weight |= index_.weight(direction, stage, j) != none;
        }
        if (!has_forward) miss(OperationKind::forward, stage, j);
        if (has_input && has_weight) continue;
        miss(has_input    ? OperationKind::backward_weight
             : has_weight ? OperationKind::backward_input
                          : OperationKind::backward,
             stage, j);
      }
    }
  }
  constexpr void miss(OperationKind kind, std::uint32_t stage, std::uint32_t micro_batch) {
    bool const is_reverse = !direction_of_.empty() && direction_of_[micro_batch] == 1;
    result_.add({ViolationCode::missing, ViolationKind::cell,
                 Operation{kind, is_reverse ? Direction::reverse : Direction::forward,
                           static_cast<std::uint16_t>(stage), micro_batch}});
  }

  constexpr void check_duplicate(Operation const& operation, std::size_t position) {
    std::uint32_t const same = index_.position(operation);
    if (same != position) {
      Operation const& other = table_.operations()[same];
      bool const is_repeated = other.kind == operation.kind || is_forward(operation);
      result_.add({ViolationCode::duplicate,
                   is_repeated ? ViolationKind::repeated : ViolationKind::both_backwards, operation, other,
                   is_repeated ? table_.worker_at(same) : worker_, worker_});
    } else if (operation.kind == OperationKind::backward) {
      std::uint32_t const weight = index_.weight(operation.direction, operation.stage, operation.micro_batch);
      if (weight == position) return;
      result_.add({ViolationCode::duplicate, ViolationKind::both_backwards, operation,
                   table_.operations()[weight], worker_, worker_});
    }
  }

  constexpr void check_placement(Operation const& operation) {
    std::uint32_t const home = index_.worker_of(operation.direction, operation.stage);
    if (home == worker_) return;
    std::uint32_t& reported =
        reported_[operation.stage * std::size_t{2} + static_cast<std::size_t>(operation.direction)];
    if (reported == worker_) return;
    reported = worker_;
    result_.add({ViolationCode::placement, ViolationKind::two_workers, operation, {}, home, worker_});
  }

  constexpr void check_order(Operation const& operation, std::size_t position) {
    Direction const way = operation.direction;
    std::uint32_t const stage = operation.stage;
    std::uint32_t const j = operation.micro_batch;
    if (is_forward(operation)) {
      if (stage > 0) need(index_.forward(way, stage - 1, j), position);
      for (SkipEdge const& skip : skips_) {
        if (skip.to == stage) need(index_.forward(way, skip.from, j), position);
      }
    } else if (gives_input_gradient(operation)) {
      need(index_.forward(way, stage, j), position);
      if (stage + 1 < table_.stages()) need(index_.input(way, stage + 1, j), position);
      for (SkipEdge const& skip : skips_) {
        if (skip.from == stage) need(index_.input(way, skip.to, j), position);
      }
    } else {
      need(index_.input(way, stage, j), position);
    }
  }

  constexpr void need(std::size_t needed, std::size_t position) {
    if (needed == none || needed < begin_ || needed >= end_) return;
    bool const is_second_of_pair = position > begin_ && begins_pair(position - 1);
    if (needed < position - (is_second_of_pair ? 1 : 0)) return;
    Violation violation{ViolationCode::order,
                        ViolationKind::before,
                        table_.operations()[position],
                        table_.operations()[needed],
                        worker_,
                        worker_};
    if (!result_.is_full()) {
      violation.expected = slot_of(position);
      violation.found = slot_of(needed);
    }
    result_.add(violation);
  }

  TableView table_;
  OperationIndex const& index_;
  std::span<SkipEdge const> skips_;
  Validation& result_;
  std::vector<std::uint8_t> direction_of_;  // each micro-batch; empty if there is one direction only
  std::vector<std::uint32_t> reported_;     // the last worker that a stage was said to be on as well
  std::uint32_t worker_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace weir::inline v1::detail
