#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"

namespace weir::inline v1 {

/// One micro-batch after the other, each forward and backward before the next: what a pipeline is compared
/// with.
struct Sequential : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{.name = "sequential"};

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<Sequential, Sink> out(shape, sink);
    for (std::uint32_t j = 0; j < shape.micro_batches; ++j) {
      out.forward(worker, j);
      out.backward(worker, j);
    }
  }
};

}  // namespace weir::inline v1
