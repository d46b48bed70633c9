#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/split_counter.hpp"

namespace weir::inline v1 {

/// 1F1B with the weight gradients put off to where a worker would wait; not more activations than 1F1B has on
/// its first worker. Source: [qi2024]
struct ZbH1 : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{.name = "zb-h1", .splits_backward = true};

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<ZbH1, Sink> out(shape, sink);
    detail::SplitCounter stage(out, worker, shape.micro_batches);
    for (std::uint32_t i = 0; i < shape.workers - 1 - worker; ++i) stage.forward();
    for (std::uint32_t j = 0; j < shape.micro_batches; ++j) {
      stage.forward();
      stage.input();
      if (j >= worker) stage.weight();
    }
    stage.all_weights();
  }
};

}  // namespace weir::inline v1
