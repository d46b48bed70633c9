#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"

namespace weir::inline v1 {

/// In which order GPipe runs the backward passes.
enum class BackwardOrder : std::uint8_t { ascending, descending };

/// All forwards, then all backwards. `GPipe` runs these in the order of the micro-batches, which gives a
/// gradient the same bits as one worker has. Source: [huang2019]
template <BackwardOrder order>
struct BasicGPipe : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{.name = "gpipe"};

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<BasicGPipe, Sink> out(shape, sink);
    std::uint32_t const m = shape.micro_batches;
    for (std::uint32_t j = 0; j < m; ++j) out.forward(worker, j);
    for (std::uint32_t j = 0; j < m; ++j) {
      out.backward(worker, order == BackwardOrder::ascending ? j : m - 1 - j);
    }
  }
};

using GPipe = BasicGPipe<BackwardOrder::ascending>;

}  // namespace weir::inline v1
