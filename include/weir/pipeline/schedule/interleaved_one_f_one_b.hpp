#pragma once

#include <cstdint>

#include "weir/pipeline/placement.hpp"
#include "weir/pipeline/schedule.hpp"
#include "weir/pipeline/schedule/stream.hpp"

namespace weir::inline v1 {

/// 1F1B with V stages per worker, which makes the bubble V times shorter and the messages V times as many.
///
/// The number of micro-batches is free: they are cut into groups of about p, as even as can be, and that
/// order never deadlocks. One with `group` of the caller's may. Source: [narayanan2021b], where they have to
/// be a multiple of p.
struct InterleavedOneFOneB : RoundRobinPlacement {
  static constexpr ScheduleTraits traits{.name = "interleaved-1f1b",
                                         .chunks = 2,
                                         .chunks_are_free = true,
                                         .has_group = true,
                                         .has_warmup_factor = true};

  static constexpr ShapeRefusal check(ScheduleShape const&) { return {}; }

  template <class Sink>
  static constexpr void emit(std::uint32_t worker, ScheduleShape const& shape, Sink&& sink) {
    detail::Emitter<InterleavedOneFOneB, Sink> out(shape, sink);
    std::uint32_t const chunks = shape.chunks;
    detail::ChunkWalk forwards(shape, chunks, shape.group);
    detail::ChunkWalk backwards = forwards;
    std::uint32_t const first_group = forwards.first_group_size();
    std::uint64_t const warmup = std::uint64_t{shape.warmup_factor} * (shape.workers - 1 - worker) +
                                 std::uint64_t{chunks - 1} * first_group;
    detail::emit_stream(
        warmup, std::uint64_t{chunks} * shape.micro_batches,
        [&] {
          auto const [chunk, j] = forwards.next();
          out.forward(chunk * shape.workers + worker, j);
        },
        [&] {
          auto const [chunk, j] = backwards.next();
          out.backward((chunks - 1 - chunk) * shape.workers + worker, j);
        });
  }
};

}  // namespace weir::inline v1
