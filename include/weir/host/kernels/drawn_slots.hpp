#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "weir/exec/selection_random.hpp"
#include "weir/host/kernels/candidate_pool.hpp"

namespace weir::inline v1 {
namespace detail {

/// A bit for each slot of a vector, in the memory of a pool's values: slots are drawn in any order, by all
/// threads, and come out in ascending order.
template <class Real>
class DrawnSlots {
 public:
  using Pool = CandidatePool<Real>;

  DrawnSlots(ThreadTeam& team, Pool const& pool, std::size_t size)
      : team_(team), pool_(pool), marks_(reinterpret_cast<std::uint64_t*>(pool.values())), size_(size) {
    for_each_word_block([&](std::size_t, std::size_t begin, std::size_t end) {
      for (std::size_t word = begin; word < end; ++word) marks_[word] = 0;
    });
  }

  /// The first `count` slots of a permutation, which are distinct.
  void draw(SlotPermutation const& slots, std::size_t count) {
    share(team_, count, bytes_per_draw, [&](std::size_t begin, std::size_t end) {
      while (begin < end) {
        std::size_t const part = smaller(together, end - begin);
        mark(slots, begin, part);
        begin += part;
      }
    });
  }

  /// Calls `f(place, slot)` for each, places from 0 on, from several threads.
  template <class Function>
  void for_each(Function const& f) const {
    SelectionBlock* const blocks = pool_.blocks();
    for_each_word_block([&](std::size_t block, std::size_t begin, std::size_t end) {
      std::size_t count = 0;
      for (std::size_t word = begin; word < end; ++word)
        for (std::uint64_t rest = marks_[word]; rest != 0; rest &= rest - 1) ++count;
      blocks[block].out_offset = count;
    });
    std::size_t before = 0;
    for (std::size_t block = 0; block < Pool::blocks_of(size_); ++block) {
      std::size_t const count = blocks[block].out_offset;
      blocks[block].out_offset = before;
      before += count;
    }
    for_each_word_block([&](std::size_t block, std::size_t begin, std::size_t end) {
      std::size_t place = blocks[block].out_offset;
      for (std::size_t word = begin; word < end; ++word) {
        for (std::uint64_t rest = marks_[word]; rest != 0; rest &= rest - 1)
          f(place++, word * 64 + static_cast<std::size_t>(__builtin_ctzll(rest)));
      }
    });
  }

 private:
  static constexpr std::size_t together = 64;        // slots whose words are fetched before the first is used
  static constexpr std::size_t bytes_per_draw = 64;  // what else a thread could move in the time

  void mark(SlotPermutation const& slots, std::size_t first, std::size_t count) {
    std::uint64_t drawn[together];
    for (std::size_t i = 0; i < count; ++i) {
      drawn[i] = slots(first + i);
      __builtin_prefetch(marks_ + drawn[i] / 64, 1);
    }
    bool const is_alone = team_.size() == 1;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t& word = marks_[drawn[i] / 64];
      std::uint64_t const bit = std::uint64_t{1} << (drawn[i] % 64);
      if (is_alone) {
        word |= bit;
      } else {
        std::atomic_ref(word).fetch_or(bit, std::memory_order_relaxed);
      }
    }
  }

  /// `f(block, begin, end)`: the words of each block of slots.
  template <class Function>
  void for_each_word_block(Function const& f) const {
    static constexpr std::size_t length = SelectionBlock::length / 64;
    std::size_t const words = (size_ + 63) / 64;
    for_each_part(team_, pool_.slots(), Pool::blocks_of(size_), [&](std::size_t, std::size_t block) {
      f(block, block * length, smaller(words, (block + 1) * length));
    });
  }

  ThreadTeam& team_;
  Pool const& pool_;
  std::uint64_t* marks_;
  std::size_t size_;
};

}  // namespace detail
}  // namespace weir::inline v1
