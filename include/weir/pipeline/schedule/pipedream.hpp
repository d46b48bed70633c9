#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace weir::inline v1 {

/// 1F1B without a flush, with an update after every micro-batch: stage s keeps p - s versions of its weights.
/// Source: [narayanan2019]
struct PipeDream : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{.name = "pipedream", .synchronous = false};

  static constexpr std::uint32_t default_period(std::uint32_t) { return 1; }

  static constexpr WeightRule weight_rule(ScheduleShape const& shape, std::uint32_t stage) {
    return {.delay = shape.workers - 1 - stage, .versions = shape.workers - stage};
  }

  static constexpr ShapeRefusal check(ScheduleShape const& shape) {
    if (shape.period == 1) return {};
    return {ShapeParameter::period, shape.period, "updates the weights after every micro-batch", 1};
  }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::emit_one_f_one_b<PipeDream>(worker, shape, sink);
  }
};

}  // namespace weir::inline v1
