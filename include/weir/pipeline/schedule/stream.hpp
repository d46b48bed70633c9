#pragma once

#include <cstdint>

#include "weir/pipeline/schedule_shape.hpp"

namespace weir::inline v1::detail {

/// A chunk of a worker, and a micro-batch.
struct ChunkMicroBatch {
  std::uint32_t chunk;
  std::uint32_t micro_batch;
};

/// Walks through the micro-batches group by group, in a group chunk by chunk, in a chunk one after another.
///
/// Groups are of a fixed size, the last one shorter; or, with size 0, as even as R = max(1, m / p) groups can
/// be, the first m mod R of them one larger.
class ChunkWalk {
 public:
  constexpr ChunkWalk(ScheduleShape const& shape, std::uint32_t chunks, std::uint32_t group)
      : micro_batches_(shape.micro_batches), chunks_(chunks), fixed_(group) {
    std::uint32_t const groups = at_least(1, micro_batches_ / shape.workers);
    if (fixed_ == 0) {
      even_ = micro_batches_ / groups;
      larger_ = micro_batches_ % groups;
    }
    size_ = next_size();
  }

  /// g0: what a fixed size says, even if there are fewer micro-batches than that; else the first group's.
  constexpr std::uint32_t first_group_size() const { return fixed_ != 0 ? fixed_ : even_ + (larger_ != 0); }

  constexpr ChunkMicroBatch next() {
    ChunkMicroBatch const result{chunk_, begin_ + offset_};
    if (++offset_ < size_) return result;
    offset_ = 0;
    if (++chunk_ < chunks_) return result;
    chunk_ = 0;
    begin_ += size_;
    ++group_;
    size_ = next_size();
    return result;
  }

 private:
  constexpr std::uint32_t next_size() const {
    std::uint32_t const left = micro_batches_ - begin_;
    std::uint32_t const size = fixed_ != 0 ? fixed_ : even_ + (group_ < larger_ ? 1 : 0);
    return size < left ? size : left;
  }

  std::uint32_t micro_batches_;
  std::uint32_t chunks_;
  std::uint32_t fixed_;
  std::uint32_t even_ = 0;
  std::uint32_t larger_ = 0;
  std::uint32_t group_ = 0;
  std::uint32_t begin_ = 0;
  std::uint32_t chunk_ = 0;
  std::uint32_t offset_ = 0;
  std::uint32_t size_ = 0;
};

/// `count` forwards and as many backwards: a warm-up of forwards, then one of each by turns, then what is
/// left of the backwards.
template <class Forward, class Backward>
constexpr void emit_stream(std::uint64_t warmup, std::uint64_t count, Forward&& forward,
                           Backward&& backward) {
  std::uint64_t const width = warmup < count ? warmup : count;
  for (std::uint64_t i = 0; i < width; ++i) forward();
  for (std::uint64_t i = width; i < count; ++i) {
    forward();
    backward();
  }
  for (std::uint64_t i = 0; i < width; ++i) backward();
}

}  // namespace weir::inline v1::detail
