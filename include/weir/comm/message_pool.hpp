#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// Buffers of one size for the messages of one channel. One thread takes them, one gives them back.
class MessagePool {
 public:
  /// `memory` has room for `count` buffers, each `distance` bytes after the one before. `first_number`: of
  /// the first of them, among those of several pools.
  MessagePool(std::byte* memory, std::size_t distance, std::size_t count, std::size_t first_number = 0)
      : memory_(memory), distance_(distance), first_number_(first_number), free_(count) {
    refill();
  }

  /// Errors: `ContractViolation` if more are taken than the table was found to need.
  std::byte* take() {
    if (taken_ == given_.load(std::memory_order_acquire))
      throw ContractViolation("a pipeline's channel has no buffer left: a stage was run twice at a time");
    return free_[taken_++ % free_.size()];
  }

  void give_back(std::byte* buffer) noexcept {
    auto const given = given_.load(std::memory_order_relaxed);
    free_[given % free_.size()] = buffer;
    given_.store(given + 1, std::memory_order_release);
  }

  std::size_t number_of(std::byte const* buffer) const {
    return distance_ == 0 ? first_number_
                          : first_number_ + static_cast<std::size_t>(buffer - memory_) / distance_;
  }

  /// All buffers are here again, wherever they were. While nobody uses the pool.
  void refill() noexcept {
    for (std::size_t i = 0; i < free_.size(); ++i) free_[i] = memory_ + i * distance_;
    taken_ = 0;
    given_.store(free_.size());
  }

 private:
  std::byte* memory_;
  std::size_t distance_;
  std::size_t first_number_;
  std::vector<std::byte*> free_;
  std::uint64_t taken_ = 0;  // the taker's
  std::atomic<std::uint64_t> given_ = 0;
};

}  // namespace weir::inline v1
