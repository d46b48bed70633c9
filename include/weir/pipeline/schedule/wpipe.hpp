#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/stream.hpp"

namespace weir::inline v1 {

/// Group-based interleaving without a flush: the model is cut into 2p stages, of which the first half, group
/// 0, is one update late and has two versions of its weights, and the second half has one and is up to date.
///
/// A period of M micro-batches is `blocks` blocks of Q; activations are held for one block, not for a period.
/// Its versions exist in time from Q = p - 1 on. Source: [wpipe2022], whose code has M = Q = p only.
struct WPipe : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{
      .name = "wpipe", .synchronous = false, .chunks = 2, .has_blocks = true};

  static constexpr WeightRule weight_rule(ScheduleShape const& shape, std::uint32_t stage) {
    if (stage >= shape.workers) return {};
    return {.delay = 1, .versions = 2};
  }

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<WPipe, Sink> out(shape, sink);
    std::uint32_t const block = shape.period / shape.blocks;
    detail::ChunkWalk forwards(shape, 2, block);
    detail::ChunkWalk backwards = forwards;
    detail::emit_stream(
        std::uint64_t{block} + shape.workers - 1 - worker, std::uint64_t{2} * shape.micro_batches,
        [&] {
          auto const [group, j] = forwards.next();
          out.forward(group * shape.workers + worker, j);
        },
        [&] {
          auto const [group, j] = backwards.next();
          out.backward((1 - group) * shape.workers + worker, j);
        });
  }
};

}  // namespace weir::inline v1
