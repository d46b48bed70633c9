#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/host/kernels/candidate_pool.hpp"
#include "weir/host/kernels/find_above.hpp"

namespace weir::inline v1 {
namespace detail {

/// What is taken: the elements whose key is above `threshold`, and the first `ties` of those equal to it, by
/// index. What is not finite counts as infinite.
template <class Real>
struct KeyCut {
  typename MagnitudeKey<Real>::Bits threshold = 0;
  std::uint64_t ties = 0;
};

/// Counts the values above a threshold and equal to it.
template <class Real>
struct CountAgainst {
  using Key = MagnitudeKey<Real>;
  using Signed = std::make_signed_t<typename Key::Bits>;
  Real const* values;
  typename Key::Bits threshold;
  std::uint32_t* above;
  std::uint32_t* ties;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    constexpr int lanes = VectorBytes / static_cast<int>(sizeof(Real));
    using Keys = Lanes<Signed, lanes>;
    Signed const limit = static_cast<Signed>(threshold);
    Keys most = {}, here_above = {}, here_ties = {};
    most += static_cast<Signed>(Key::infinity);
    std::size_t i = begin;
    for (; end - i >= static_cast<std::size_t>(lanes); i += static_cast<std::size_t>(lanes)) {
      Lanes<Real, lanes> value;
      load<Real, lanes>(values + i, value);
      Keys keys, clamped;
      keys_of<Real, lanes>(value, keys);
      select(keys < most, keys, most, clamped);
      here_above -= clamped > limit;
      here_ties -= clamped == limit;
    }
    Signed sum_above = 0, sum_ties = 0;
    for (int lane = 0; lane < lanes; ++lane) {
      sum_above += here_above[lane];
      sum_ties += here_ties[lane];
    }
    for (; i < end; ++i) {
      auto const key = static_cast<Signed>(smaller_key(Key::of(values[i])));
      sum_above += key > limit ? 1 : 0;
      sum_ties += key == limit ? 1 : 0;
    }
    *above = static_cast<std::uint32_t>(sum_above);
    *ties = static_cast<std::uint32_t>(sum_ties);
  }

  static typename Key::Bits smaller_key(typename Key::Bits key) {
    return key < Key::infinity ? key : Key::infinity;
  }
};

/// Writes those of a block's candidates that are taken, `positions` relative to `begin`, in order.
template <class Real, class Index>
struct PackSelected {
  using Key = MagnitudeKey<Real>;
  using Signed = std::make_signed_t<typename Key::Bits>;
  std::uint32_t const* positions;
  Real const* candidates;
  std::size_t block_begin;
  SelectionBlock const* block;
  typename Key::Bits threshold;
  Index* indices;
  Real* values;

  /// Of candidates `begin` to `end`, which are all of the block.
  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    std::size_t const count = std::size_t{block->above} + block->ties;
    Index* const to = indices + block->out_offset;
    Real* const out = values + block->out_offset;
    std::size_t i = begin;
    std::size_t at = 0;
    if constexpr (VectorBytes == 64 && sizeof(Index) == 4) {
      if (block->ties == 0) pack<VectorBytes / static_cast<int>(sizeof(Real))>(i, at, end, count, to, out);
    }
    std::uint32_t ties = block->ties;
    for (; at < count; ++i) {  // what is not taken is written over
      auto const key = CountAgainst<Real>::smaller_key(Key::of(candidates[i]));
      std::uint32_t const is_tie = key == threshold && ties != 0 ? 1u : 0u;
      ties -= is_tie;
      to[at] = static_cast<Index>(block_begin + positions[i]);
      out[at] = candidates[i];
      at += (key > threshold ? 1u : 0u) + is_tie;
    }
  }

 private:
  /// As long as there is room for whole vectors, for another block's are behind.
  template <int Count>
  [[gnu::always_inline]] void pack(std::size_t& i, std::size_t& at, std::size_t end, std::size_t count,
                                   Index* to, Real* out) const {
    using Positions = Lanes<std::uint32_t, Count>;
    constexpr std::size_t step = Count;
    std::uint32_t const first = static_cast<std::uint32_t>(block_begin);
    Lanes<Signed, Count> limit = {};
    limit |= static_cast<Signed>(threshold);
    for (; end - i >= step && count - at >= 16; i += step) {
      Lanes<Real, Count> value;
      Lanes<Signed, Count> keys;
      load<Real, Count>(candidates + i, value);
      keys_of<Real, Count>(value, keys);
      std::uint32_t const mask = mask_above<Signed, Count>(keys, limit);
      if constexpr (Count == 16) {
        Positions position;
        __builtin_memcpy(&position, positions + i, sizeof(position));
        position += first;
        std::uint32_t packed[16];
        store_packed<std::uint32_t, 16>(position, mask, packed);
        __builtin_memcpy(to + at, packed, sizeof(packed));
      } else {
        std::size_t place = at;
        for (std::uint32_t rest = mask; rest != 0; rest &= rest - 1)
          to[place++] = first + positions[i + static_cast<std::size_t>(__builtin_ctz(rest))];
      }
      store_packed<Real, Count>(value, mask, out + at);
      at += bits_in(mask);
    }
  }
};

/// Gives every block its place in the output and its share of the ties; returns how many are taken in all.
inline std::uint64_t place_blocks(SelectionBlock* blocks, std::size_t count, std::uint64_t ties) {
  std::uint64_t offset = 0;
  for (std::size_t index = 0; index < count; ++index) {
    SelectionBlock& block = blocks[index];
    if (block.ties > ties) block.ties = static_cast<std::uint32_t>(ties);
    ties -= block.ties;
    block.out_offset = static_cast<std::size_t>(offset);
    offset += std::uint64_t{block.above} + block.ties;
  }
  return offset;
}

/// Counts what the cut takes of the candidates, which are all that it could take, and says where in the
/// output it goes.
template <class Real>
std::uint64_t place_candidates(ThreadTeam& team, std::size_t size, KeyCut<Real> const& cut,
                               CandidatePool<Real> const& pool) {
  std::size_t const count = pool.blocks_of(size);
  for_each_part(team, pool.slots(), count, [&](std::size_t, std::size_t index) {
    SelectionBlock& block = pool.blocks()[index];
    Real const* const values = pool.values() + block.pool_offset;
    run_widest(CountAgainst<Real>{values, cut.threshold, &block.above, &block.ties}, 0, block.candidates);
  });
  return place_blocks(pool.blocks(), count, cut.ties);
}

/// The same of all elements. Cost: a pass over memory.
template <class Real>
std::uint64_t place_elements(ThreadTeam& team, Real const* values, std::size_t size, KeyCut<Real> const& cut,
                             CandidatePool<Real> const& pool) {
  static constexpr std::size_t length = SelectionBlock::length;
  std::size_t const count = pool.blocks_of(size);
  for_each_part(team, pool.slots(), count, [&](std::size_t, std::size_t index) {
    SelectionBlock& block = pool.blocks()[index];
    std::size_t const begin = index * length;
    run_widest(CountAgainst<Real>{values, cut.threshold, &block.above, &block.ties}, begin,
               smaller(size, begin + length));
  });
  return place_blocks(pool.blocks(), count, cut.ties);
}

/// Writes what `place_candidates` has counted.
template <class Real, class Index>
void compact_candidates(ThreadTeam& team, std::size_t size, KeyCut<Real> const& cut,
                        CandidatePool<Real> const& pool, Index* indices, Real* values) {
  for_each_part(team, pool.slots(), pool.blocks_of(size), [&](std::size_t, std::size_t index) {
    SelectionBlock const& block = pool.blocks()[index];
    run_widest(
        PackSelected<Real, Index>{pool.positions() + block.pool_offset, pool.values() + block.pool_offset,
                                  index * SelectionBlock::length, &block, cut.threshold, indices, values},
        0, block.candidates);
  });
}

/// Writes what `place_elements` has counted. Cost: another pass over memory.
template <class Input, class Index>
void compact_elements(ThreadTeam& team, Input const& input, std::size_t size,
                      KeyCut<typename Input::Real> const& cut,
                      CandidatePool<typename Input::Real> const& pool, Index* indices,
                      typename Input::Real* values) {
  using Real = typename Input::Real;
  static constexpr std::size_t length = SelectionBlock::length;
  auto const guard = cut.ties == 0 ? cut.threshold : cut.threshold - 1;
  for_each_part(team, pool.slots(), pool.blocks_of(size), [&](std::size_t slot, std::size_t index) {
    SelectionBlock const& block = pool.blocks()[index];
    if (block.above + block.ties == 0) return;
    std::size_t const begin = index * length;
    std::uint32_t* const positions = pool.found_positions(slot);
    Real* const found_values = pool.found_values(slot);
    std::size_t found = 0;
    std::size_t non_zero = 0;
    run_widest(FindAbove<Input>{input, guard, positions, found_values, &found, &non_zero}, begin,
               smaller(size, begin + length));
    run_widest(
        PackSelected<Real, Index>{positions, found_values, begin, &block, cut.threshold, indices, values}, 0,
        found);
  });
}

}  // namespace detail
}  // namespace weir::inline v1
