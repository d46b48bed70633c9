#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "weir/host/kernels/candidate_pool.hpp"
#include "weir/host/kernels/find_above.hpp"
#include "weir/host/kernels/leaf_keys.hpp"
#include "weir/host/kernels/magnitude_counts.hpp"

namespace weir::inline v1 {
namespace detail {

/// What is known after a pass that left the elements above a guard in the pool.
template <class Real>
struct Candidates {
  using Bits = typename MagnitudeKey<Real>::Bits;
  Bits guard = 0;
  std::uint64_t count = 0;
  std::uint64_t non_zero = 0;    // of all elements, what is not finite included
  std::uint64_t non_finite = 0;  // of the candidates, which are all such elements
  Bits largest = 0;              // of the finite candidates
  Bits smallest = MagnitudeKey<Real>::infinity;
  bool fit = false;  // else the pool is of no use

  std::uint64_t finite() const { return count - non_finite; }
};

/// Keeps the larger, or the smaller, of what a word holds and a value.
template <class Word>
void keep_largest(std::atomic<Word>& word, Word value) {
  for (Word seen = word.load(std::memory_order_relaxed);
       value > seen && !word.compare_exchange_weak(seen, value, std::memory_order_relaxed);) {
  }
}
template <class Word>
void keep_smallest(std::atomic<Word>& word, Word value) {
  for (Word seen = word.load(std::memory_order_relaxed);
       value < seen && !word.compare_exchange_weak(seen, value, std::memory_order_relaxed);) {
  }
}

template <class Real>
struct SummariseKeys {
  Real const* values;
  LeafKeys<Real>* out;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    *out = LeafKeys<Real>::template of<VectorBytes>(values + begin, end - begin, 0);
  }
};

/// Takes every element of an input once and leaves those above `guard` in the pool; counts them in the bins
/// of `range`, unless that has none.
///
/// Cost: one pass over memory.
template <class Input>
Candidates<typename Input::Real> collect_candidates(ThreadTeam& team, Input const& input, std::size_t size,
                                                    typename MagnitudeKey<typename Input::Real>::Bits guard,
                                                    BinRange<typename Input::Real> const& range,
                                                    CandidatePool<typename Input::Real> const& pool) {
  using Real = typename Input::Real;
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;
  static constexpr std::size_t length = SelectionBlock::length;
  std::atomic<std::size_t> used = 0;
  std::atomic<std::uint64_t> non_zero = 0, non_finite = 0;
  std::atomic<Bits> largest = 0, smallest = Key::infinity;
  std::size_t const slots = for_each_part(
      team, pool.slots(), CandidatePool<Real>::blocks_of(size),
      [&](std::size_t slot) {
        clear_counts(pool.counts(slot), range.bins);
        pool.found_before(slot) = 0;
      },
      [&](std::size_t slot, std::size_t index) {
        std::size_t const begin = index * length;
        std::uint32_t* const positions = pool.found_positions(slot);
        Real* const values = pool.found_values(slot);
        std::size_t found = 0;
        std::size_t here_non_zero = 0;
        std::size_t& before = pool.found_before(slot);
        bool const is_rare = before < length / 256;
        run_widest(FindAbove<Input>{input, guard, positions, values, &found, &here_non_zero, is_rare}, begin,
                   smaller(size, begin + length));
        before = found;

        std::size_t const offset = used.fetch_add(found, std::memory_order_relaxed);
        SelectionBlock& block = pool.blocks()[index];
        block.pool_offset = offset;
        block.candidates = static_cast<std::uint32_t>(found);
        if (offset + found <= pool.capacity()) {
          __builtin_memcpy(pool.positions() + offset, positions, found * sizeof(std::uint32_t));
          __builtin_memcpy(pool.values() + offset, values, found * sizeof(Real));
        }
        LeafKeys<Real> keys;
        run_widest(SummariseKeys<Real>{values, &keys}, 0, found);
        if (range.bins != 0) count_in_bins(values, found, range, pool.counts(slot));
        non_zero.fetch_add(here_non_zero, std::memory_order_relaxed);
        if (keys.non_finite != 0) non_finite.fetch_add(keys.non_finite, std::memory_order_relaxed);
        keep_largest(largest, keys.largest);
        keep_smallest(smallest, keys.smallest);
      });
  add_counts(pool, slots, range.bins);
  return {guard, used, non_zero, non_finite, largest, smallest, used <= pool.capacity()};
}

}  // namespace detail
}  // namespace weir::inline v1
