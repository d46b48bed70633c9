#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/split_counter.hpp"

namespace weir::inline v1 {

/// A warm-up of twice the length, so that no worker ever waits if F = I = W; about twice the activations.
/// Source: [qi2024]
struct ZbH2 : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{.name = "zb-h2", .splits_backward = true};

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<ZbH2, Sink> out(shape, sink);
    detail::SplitCounter stage(out, worker, shape.micro_batches);
    for (std::uint32_t i = 0; i < 2 * (shape.workers - 1 - worker) + 1; ++i) stage.forward();
    for (std::uint32_t j = 0; j < shape.micro_batches; ++j) {
      stage.input();
      if (j >= 2 * worker) stage.weight();
      stage.forward();
    }
    stage.all_weights();
  }
};

}  // namespace weir::inline v1
