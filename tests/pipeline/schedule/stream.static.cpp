#include "weir/pipeline/schedule/stream.hpp"

namespace {

using namespace weir;

using detail::ChunkMicroBatch;
using detail::ChunkWalk;

/// 7 micro-batches on 3 workers: two groups, of 4 and of 3.
constexpr bool walks_evenly() {
  ChunkWalk walk({.workers = 3, .micro_batches = 7}, 2, 0);
  constexpr std::uint32_t chunks[] = {0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1};
  constexpr std::uint32_t micro_batches[] = {0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 4, 5, 6};
  if (walk.first_group_size() != 4) return false;
  for (std::uint32_t i = 0; i < 14; ++i) {
    ChunkMicroBatch const next = walk.next();
    if (next.chunk != chunks[i] || next.micro_batch != micro_batches[i]) return false;
  }
  return true;
}
static_assert(walks_evenly());

/// Groups of a fixed size, the last one shorter.
constexpr bool walks_by_size() {
  ChunkWalk walk({.workers = 3, .micro_batches = 5}, 1, 3);
  for (std::uint32_t i = 0; i < 3; ++i) walk.next();
  return walk.first_group_size() == 3 && walk.next().micro_batch == 3 && walk.next().micro_batch == 4;
}
static_assert(walks_by_size());
static_assert(ChunkWalk({.workers = 3, .micro_batches = 5}, 1, 7).first_group_size() == 7);

/// The order as digits: 1 for a forward, 2 for a backward.
constexpr std::uint64_t stream(std::uint64_t warmup, std::uint64_t count) {
  std::uint64_t order = 0;
  detail::emit_stream(
      warmup, count, [&] { order = order * 10 + 1; }, [&] { order = order * 10 + 2; });
  return order;
}
static_assert(stream(0, 2) == 1212);
static_assert(stream(1, 3) == 112122);
static_assert(stream(7, 2) == 1122);

}  // namespace
