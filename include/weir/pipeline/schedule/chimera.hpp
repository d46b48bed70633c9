#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"

namespace weir::inline v1 {

/// Two copies of the model that run through the workers in opposite directions, each with half of the
/// micro-batches. Source: [li2021]
struct Chimera : MirroredPlacement {
  static constexpr ScheduleTraits traits{.name = "chimera", .directions = 2};

  static constexpr ShapeRefusal check(ScheduleShape const& shape) {
    if (shape.workers % 2 != 0) {
      return {ShapeParameter::workers, shape.workers, "needs an even number of workers",
              detail::nearest_even(shape.workers)};
    }
    if (shape.micro_batches % 2 != 0) {
      return {ShapeParameter::micro_batches, shape.micro_batches, "needs an even number of micro-batches",
              detail::nearest_even(shape.micro_batches)};
    }
    return {};
  }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<Chimera, Sink> out(shape, sink);
    std::uint32_t const p = shape.workers;
    std::uint32_t const units = (shape.micro_batches + p - 1) / p;
    // A unit begins every 2p slots and takes less than 3p.
    for (std::uint64_t slot = 0; slot < (std::uint64_t{units} * 2 + 1) * p; ++slot) {
      std::uint64_t const latest = slot / (2 * std::uint64_t{p});
      for (std::uint64_t unit = latest == 0 ? 0 : latest - 1; unit <= latest && unit < units; ++unit) {
        for (Direction const direction : {Direction::forward, Direction::reverse}) {
          emit_slot(worker, shape, static_cast<std::uint32_t>(unit),
                    static_cast<std::uint32_t>(slot - unit * 2 * p), direction, out);
        }
      }
    }
  }

 private:
  /// What one copy does in one slot of a unit, if anything.
  template <class Out>
  static constexpr void emit_slot(std::uint32_t worker, ScheduleShape const& shape, std::uint32_t unit,
                                  std::uint32_t slot, Direction direction, Out& out) {
    std::uint32_t const p = shape.workers;
    std::uint32_t const stage = direction == Direction::forward ? worker : p - 1 - worker;
    std::uint32_t const begin = unit * p;
    std::uint32_t const half = (shape.micro_batches - begin < p ? shape.micro_batches - begin : p) / 2;
    std::uint32_t const first = begin + (direction == Direction::forward ? 0 : half);
    std::uint32_t const backward = 2 * p - 1 - stage;
    if (slot >= stage && (slot - stage) % 2 == 0 && (slot - stage) / 2 < half)
      out.forward(stage, first + (slot - stage) / 2, direction);
    if (slot >= backward && (slot - backward) % 2 == 0 && (slot - backward) / 2 < half)
      out.backward(stage, first + (slot - backward) / 2, direction);
  }
};

}  // namespace weir::inline v1
