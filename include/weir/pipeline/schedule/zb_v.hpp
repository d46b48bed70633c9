#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/split_counter.hpp"

namespace weir::inline v1 {

/// Two stages per worker, the second half of the model on the way back, and split backwards: no worker waits
/// if F = I = W, with the activations of 1F1B. Source: [qi2024]
struct ZbV : FoldedPlacement {
  static constexpr ScheduleTraits traits{.name = "zb-v", .splits_backward = true, .chunks = 2};

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    // The rule is one for 2p - 1 micro-batches or more; with less, those too many are left out.
    detail::Emitter<ZbV, Sink> emitter(shape, sink);
    auto out = [&](OperationKind kind, std::uint32_t stage, std::uint32_t j) {
      if (j < shape.micro_batches) emitter(kind, stage, j);
    };
    std::uint32_t const p = shape.workers;
    std::uint32_t const count = detail::at_least(2 * p - 1, shape.micro_batches);
    detail::SplitCounter a(out, worker, count);
    detail::SplitCounter b(out, 2 * p - 1 - worker, count);
    for (std::uint32_t i = 0; i < 2 * (p - worker) - 1; ++i) a.forward();
    for (std::uint32_t i = 0; i < worker; ++i) {
      b.forward();
      a.forward();
    }
    auto const turn = [&b] {
      b.forward();
      b.input();
      b.weight();
    };
    for (std::uint32_t i = worker; i < p; ++i) turn();
    while (b.has_forwards()) {
      a.forward();
      a.input();
      a.weight();
      turn();
    }
    for (std::uint32_t i = 0; i < worker; ++i) {
      a.input();
      b.input();
    }
    for (std::uint32_t i = worker; i < p; ++i) {
      a.input();
      a.weight();
    }
    b.all_weights();
    a.all_weights();
  }
};

}  // namespace weir::inline v1
