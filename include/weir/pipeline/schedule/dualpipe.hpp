#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/two_way_steps.hpp"

namespace weir::inline v1 {

/// Two copies of the model in opposite directions, split backwards, and forwards that are issued together
/// with a backward of the other copy. Source: [deepseek2024]
struct DualPipe : MirroredPlacement {
  static constexpr ScheduleTraits traits{.name = "dualpipe", .splits_backward = true, .directions = 2};

  static constexpr ShapeRefusal check(ScheduleShape const& shape) {
    if (shape.workers % 2 != 0) {
      return {ShapeParameter::workers, shape.workers, "needs an even number of workers",
              detail::nearest_even(shape.workers)};
    }
    if (shape.micro_batches < 2 * shape.workers) {
      return {ShapeParameter::micro_batches, shape.micro_batches,
              "needs two micro-batches per worker or more", 2 * shape.workers};
    }
    if (shape.micro_batches % 2 != 0) {
      return {ShapeParameter::micro_batches, shape.micro_batches, "needs an even number of micro-batches",
              detail::nearest_even(shape.micro_batches)};
    }
    return {};
  }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<DualPipe, Sink> out(shape, sink);
    std::uint32_t const p = shape.workers;
    std::uint32_t const half = shape.micro_batches / 2;
    detail::Way const forward{worker, Direction::forward, 0};
    detail::Way const reverse{p - 1 - worker, Direction::reverse, half};
    bool const is_first_half = worker < p / 2;
    detail::TwoWaySteps steps(out, is_first_half ? forward : reverse, is_first_half ? reverse : forward);
    steps.emit(p / 2, is_first_half ? worker : p - 1 - worker, half);
  }
};

}  // namespace weir::inline v1
