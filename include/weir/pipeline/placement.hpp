#pragma once

#include <cstdint>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_shape.hpp"
#include "weir/pipeline/weight_rule.hpp"

// Where stages are: bases for schedules.

namespace weir::inline v1 {

/// Stage c p + i on worker i, for each of its chunks c; and all that a synchronous schedule has to say
/// besides its order.
struct RoundRobinPlacement {
  static constexpr std::uint32_t default_period(std::uint32_t workers) { return workers; }
  static constexpr std::uint32_t stages(std::uint32_t workers, std::uint32_t chunks) {
    return workers * chunks;
  }
  static constexpr std::uint32_t worker_of(ScheduleShape const& shape, std::uint32_t stage, Direction) {
    return stage % shape.workers;
  }
  static constexpr WeightRule weight_rule(ScheduleShape const&, std::uint32_t) { return {}; }
};

/// Two stages per worker, the second half of the model on the way back: i and 2p - 1 - i on worker i.
struct FoldedPlacement : RoundRobinPlacement {
  static constexpr std::uint32_t worker_of(ScheduleShape const& shape, std::uint32_t stage, Direction) {
    return stage < shape.workers ? stage : 2 * shape.workers - 1 - stage;
  }
};

/// Two copies of the model in opposite directions, a stage of each on every worker.
struct MirroredPlacement : RoundRobinPlacement {
  static constexpr std::uint32_t worker_of(ScheduleShape const& shape, std::uint32_t stage,
                                           Direction direction) {
    return direction == Direction::forward ? stage : shape.workers - 1 - stage;
  }
};

}  // namespace weir::inline v1
