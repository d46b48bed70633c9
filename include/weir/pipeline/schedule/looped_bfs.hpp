#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"

namespace weir::inline v1 {

/// All forwards of a chunk before those of the next, then all backwards. Source: [lamy2023]
struct LoopedBfs : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{.name = "looped-bfs", .chunks = 2, .chunks_are_free = true};

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<LoopedBfs, Sink> out(shape, sink);
    for (std::uint32_t chunk = 0; chunk < shape.chunks; ++chunk) {
      for (std::uint32_t j = 0; j < shape.micro_batches; ++j) out.forward(chunk * shape.workers + worker, j);
    }
    for (std::uint32_t chunk = shape.chunks; chunk-- > 0;) {
      for (std::uint32_t j = 0; j < shape.micro_batches; ++j) out.backward(chunk * shape.workers + worker, j);
    }
  }
};

}  // namespace weir::inline v1
