#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/stream.hpp"

namespace weir::inline v1 {

namespace detail {

/// p - 1 - i forwards, then a forward and a backward by turns.
template <class Type, class Sink>
constexpr void emit_one_f_one_b(std::uint32_t worker, ScheduleShape const& shape, Sink& sink) {
  Emitter<Type, Sink> out(shape, sink);
  std::uint32_t forward = 0;
  std::uint32_t backward = 0;
  emit_stream(
      shape.workers - 1 - worker, shape.micro_batches, [&] { out.forward(worker, forward++); },
      [&] { out.backward(worker, backward++); });
}

}  // namespace detail

/// A backward as soon as there is one, so that a worker never keeps the activations of more micro-batches
/// than there are workers from it to the end. Source: [narayanan2019], with one update after all
/// micro-batches.
struct OneFOneB : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{.name = "1f1b"};

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::emit_one_f_one_b<OneFOneB>(worker, shape, sink);
  }
};

}  // namespace weir::inline v1
