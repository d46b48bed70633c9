#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "weir/exec/shared_rank_search.hpp"
#include "weir/host/sweep.hpp"

namespace weir::inline v1 {
namespace detail {

/// The part of a vector that a thread takes at a time, and what it found there.
struct SelectionBlock {
  static constexpr std::size_t length = std::size_t{1} << 16;

  std::size_t pool_offset;  // of its candidates
  std::size_t out_offset;   // of its selected slots
  std::uint32_t candidates;
  std::uint32_t above;  // the threshold
  std::uint32_t ties;   // equal to it; in the end, those that are taken
};

/// The memory of a selection, made once. One selection at a time uses it.
///
/// Candidates are elements that may be selected: position in their block, and value. Those of a block lie
/// together and in order; where in the pool is left to chance.
template <class Real>
class CandidatePool {
 public:
  static constexpr std::size_t counters = 4096;
  static constexpr std::size_t samples = 16384;
  static constexpr std::size_t alignment = 64;

  static constexpr std::size_t blocks_of(std::size_t size) {
    return (size + SelectionBlock::length - 1) / SelectionBlock::length;
  }

  /// Room for half of a large vector: who keeps more has not much use for a selection.
  static constexpr std::size_t capacity_for(std::size_t size) {
    return size < std::size_t{1} << 18 ? size : size / 2 + 4096;
  }

  /// What `memory` has to hold for vectors of that size.
  static std::size_t bytes(std::size_t size, std::size_t threads) {
    Cursor cursor{nullptr};
    CandidatePool measured;
    measured.place(cursor, size, threads);
    return cursor.used + alignment;
  }

  CandidatePool() = default;
  CandidatePool(void* memory, std::size_t size, std::size_t threads) {
    std::size_t const misaligned = reinterpret_cast<std::uintptr_t>(memory) % alignment;
    Cursor cursor{static_cast<char*>(memory) + (alignment - misaligned) % alignment};
    place(cursor, size, threads);
  }

  std::size_t capacity() const { return capacity_; }
  std::size_t slots() const { return slots_; }
  std::uint32_t* positions() const { return positions_; }
  Real* values() const { return values_; }
  SelectionBlock* blocks() const { return blocks_; }
  Real* sample() const { return sample_; }

  /// What a thread found in its block.
  std::uint32_t* found_positions(std::size_t slot) const { return found_positions_ + slot * found_length; }
  Real* found_values(std::size_t slot) const { return found_values_ + slot * found_length; }
  /// How much a thread found in the block before.
  std::size_t& found_before(std::size_t slot) const { return found_before_[8 * slot]; }
  /// A thread's counters, one more than there are bins: the last is for what is in none.
  std::uint64_t* counts(std::size_t slot) const { return counts_ + slot * counts_length; }

 private:
  static constexpr std::size_t found_length = SelectionBlock::length + 64;
  static constexpr std::size_t counts_length = SharedRankSearch<Real>::counters + 8;

  struct Cursor {
    char* memory;
    std::size_t used = 0;

    template <class T>
    T* take(std::size_t count) {
      T* const here = memory == nullptr ? nullptr : reinterpret_cast<T*>(memory + used);
      used += (count * sizeof(T) + alignment - 1) / alignment * alignment;
      return here;
    }
  };

  void place(Cursor& cursor, std::size_t size, std::size_t threads) {
    capacity_ = capacity_for(size);
    slots_ = threads;
    counts_ = cursor.template take<std::uint64_t>(threads * counts_length);
    sample_ = cursor.template take<Real>(samples);
    found_before_ = cursor.template take<std::size_t>(threads * 8);
    blocks_ = cursor.template take<SelectionBlock>(blocks_of(size));
    found_positions_ = cursor.template take<std::uint32_t>(threads * found_length);
    found_values_ = cursor.template take<Real>(threads * found_length);
    positions_ = cursor.template take<std::uint32_t>(capacity_ + 16);
    values_ = cursor.template take<Real>(capacity_ + 16);
  }

  std::size_t capacity_ = 0;
  std::size_t slots_ = 0;
  std::uint32_t* positions_ = nullptr;
  Real* values_ = nullptr;
  SelectionBlock* blocks_ = nullptr;
  Real* sample_ = nullptr;
  std::uint32_t* found_positions_ = nullptr;
  Real* found_values_ = nullptr;
  std::size_t* found_before_ = nullptr;
  std::uint64_t* counts_ = nullptr;
};

/// Calls `f(slot, part)` for each part; calls of the same `slot`, below `slots`, come one after another.
/// Returns how many slots there were, of which each had `begin(slot)` called first.
template <class Begin, class Function>
std::size_t for_each_part(ThreadTeam& team, std::size_t slots, std::size_t parts, Begin const& begin,
                          Function const& f) {
  std::size_t const used = larger(1, smaller(smaller(slots, team.size()), parts));
  std::atomic<std::size_t> next = 0;
  team.run(used, [&](std::size_t slot) {
    begin(slot);
    for (std::size_t part; (part = next.fetch_add(1, std::memory_order_relaxed)) < parts;) f(slot, part);
  });
  return used;
}

template <class Function>
void for_each_part(ThreadTeam& team, std::size_t slots, std::size_t parts, Function const& f) {
  for_each_part(
      team, slots, parts, [](std::size_t) {}, f);
}

}  // namespace detail
}  // namespace weir::inline v1
