#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/chimera.hpp"
#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/dualpipe_v.hpp"
#include "weir/pipeline/schedule/gpipe.hpp"
#include "weir/pipeline/schedule/interleaved_one_f_one_b.hpp"
#include "weir/pipeline/schedule/looped_bfs.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/schedule/pipedream.hpp"
#include "weir/pipeline/schedule/pipedream_2bw.hpp"
#include "weir/pipeline/schedule/sequential.hpp"
#include "weir/pipeline/schedule/wpipe.hpp"
#include "weir/pipeline/schedule/zb_h1.hpp"
#include "weir/pipeline/schedule/zb_h2.hpp"
#include "weir/pipeline/schedule/zb_v.hpp"

namespace weir::inline v1 {

/// A schedule that is chosen at run time.
struct NamedSchedule {
  ScheduleTraits traits;
  ScheduleShape (*completed)(ScheduleShape const&);
  ShapeRefusal (*refusal)(ScheduleShape const&);
  ScheduleTable (*make_table)(ScheduleShape const&);
  WeightRule (*weight_rule)(ScheduleShape const&, std::uint32_t stage);  ///< of a completed shape
};

namespace detail {

template <Schedule Type>
constexpr NamedSchedule named() {
  return {Type::traits, [](ScheduleShape const& shape) { return completed<Type>(shape); },
          [](ScheduleShape const& shape) { return refusal<Type>(shape); },
          [](ScheduleShape const& shape) { return make_table<Type>(shape); },
          [](ScheduleShape const& shape, std::uint32_t stage) { return Type::weight_rule(shape, stage); }};
}

inline constexpr NamedSchedule all_schedules[] = {
    named<Sequential>(), named<GPipe>(),        named<OneFOneB>(),
    named<PipeDream>(),  named<PipeDream2BW>(), named<InterleavedOneFOneB>(),
    named<LoopedBfs>(),  named<Chimera>(),      named<ZbH1>(),
    named<ZbH2>(),       named<ZbV>(),          named<DualPipe>(),
    named<DualPipeV>(),  named<WPipe>()};

}  // namespace detail

/// All schedules there are.
constexpr std::span<NamedSchedule const> schedule_catalog() {
  return detail::all_schedules;
}

/// The one of that name, or null.
constexpr NamedSchedule const* find_schedule(std::string_view name) {
  for (NamedSchedule const& schedule : schedule_catalog()) {
    if (name == schedule.traits.name) return &schedule;
  }
  return nullptr;
}

}  // namespace weir::inline v1
