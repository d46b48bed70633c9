#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation.hpp"

namespace weir::inline v1::detail {

constexpr std::int64_t checked_tick_sum(std::int64_t left, std::int64_t right) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(left, right, &sum))
    throw ContractViolation(
        "simulate: a time does not fit in 64 bits; smaller or rounder costs would be right");
  return sum;
}

/// How long operations take, in ticks.
struct TickCosts {
  struct Stage {
    std::int64_t forward = 0;
    std::int64_t backward_input = 0;
    std::int64_t backward_weight = 0;
  };
  std::vector<Stage> stages = {};  // of one direction after the other; empty: nothing takes time
  std::size_t directions = 1;
  std::int64_t latency = 0;
  std::int64_t pair_numerator = 1;  // a pair takes that share of its parts
  std::int64_t pair_denominator = 1;
  std::vector<std::int64_t> reduce = {};  // of a stage's gradient before its update; empty: none

  constexpr std::int64_t of(Operation const& operation) const {
    if (stages.empty()) return 0;
    bool const is_second_copy = operation.direction == Direction::reverse && directions == 2;
    Stage const& stage = stages[(is_second_copy ? stages.size() / 2 : 0) + operation.stage];
    switch (operation.kind) {
      case OperationKind::forward:
      case OperationKind::pair:
      case OperationKind::recompute:
        return stage.forward;
      case OperationKind::backward:
        return checked_tick_sum(stage.backward_input, stage.backward_weight);
      case OperationKind::backward_input:
        return stage.backward_input;
      case OperationKind::backward_weight:
        return stage.backward_weight;
      default:
        return 0;
    }
  }

  constexpr std::int64_t of_pair(Operation const& forward, Operation const& backward) const {
    __extension__ typedef __int128 Wide;
    Wide const ticks = Wide{checked_tick_sum(of(forward), of(backward))} * pair_numerator / pair_denominator;
    if (ticks > INT64_MAX)
      throw ContractViolation(
          "simulate: the cost of a pair does not fit in 64 bits; a smaller one would be right");
    return static_cast<std::int64_t>(ticks);
  }
};

}  // namespace weir::inline v1::detail
