#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/two_way_steps.hpp"

namespace weir::inline v1 {

/// The order of DualPipe with one copy of the model, whose second half runs through the workers on the way
/// back. Source: [deepseek2024]
struct DualPipeV : FoldedPlacement {
  static constexpr ScheduleTraits traits{.name = "dualpipe-v", .splits_backward = true, .chunks = 2};

  static constexpr ShapeRefusal check(ScheduleShape const& shape) {
    if (shape.micro_batches >= 2 * shape.workers) return {};
    return {ShapeParameter::micro_batches, shape.micro_batches, "needs two micro-batches per worker or more",
            2 * shape.workers};
  }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<DualPipeV, Sink> out(shape, sink);
    detail::TwoWaySteps steps(out, {worker, Direction::forward, 0},
                              {2 * shape.workers - 1 - worker, Direction::forward, 0});
    steps.emit(shape.workers, worker, shape.micro_batches);
  }
};

}  // namespace weir::inline v1
