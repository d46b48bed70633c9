#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"

namespace weir::inline v1 {

/// 1F1B without a flush, with an update after every period of M micro-batches and two versions of all
/// weights. Its versions exist in time from M = p - 1 on. Source: [narayanan2021a]
struct PipeDream2BW : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{.name = "pipedream-2bw", .synchronous = false};

  static constexpr WeightRule weight_rule(ScheduleShape const&, std::uint32_t) {
    return {.delay = 1, .versions = 2};
  }

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::emit_one_f_one_b<PipeDream2BW>(worker, shape, sink);
  }
};

}  // namespace weir::inline v1
