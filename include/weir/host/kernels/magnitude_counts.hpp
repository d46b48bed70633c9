#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/host/kernels/candidate_pool.hpp"

namespace weir::inline v1 {
namespace detail {

/// A range of keys and how it is divided: bin b holds the keys from `low + (b << shift)` on.
template <class Real>
struct BinRange {
  using Bits = typename MagnitudeKey<Real>::Bits;
  Bits low = 0;
  unsigned shift = 0;
  std::size_t bins = 0;  // at most as many as a pool has counters

  /// The bins up to the one of a key, as many as there are counters.
  static BinRange below(Bits highest, unsigned shift) {
    Bits const top = highest >> shift;
    std::size_t const bins = smaller(CandidatePool<Real>::counters, static_cast<std::size_t>(top) + 1);
    return {static_cast<Bits>((top + 1 - static_cast<Bits>(bins)) << shift), shift, bins};
  }

  /// The bins from a finite key on, where one begins; none of them is of what is not finite.
  static BinRange from(Bits low, unsigned shift) {
    // On each level a bin begins at infinity.
    std::size_t const bins = static_cast<std::size_t>((MagnitudeKey<Real>::infinity - low) >> shift);
    return {low, shift, smaller(CandidatePool<Real>::counters, bins)};
  }
};

inline void clear_counts(std::uint64_t* counts, std::size_t bins) {
  for (std::size_t bin = 0; bin <= bins; ++bin) counts[bin] = 0;
}

/// Adds the values that are not 0 to the counters of their bins; what is in none, to the one after.
template <class Real>
void count_in_bins(Real const* values, std::size_t size, BinRange<Real> const& range, std::uint64_t* counts) {
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;
  Bits const bins = static_cast<Bits>(range.bins);
  for (std::size_t i = 0; i < size; ++i) {
    Bits const key = Key::of(values[i]);
    Bits const bin = static_cast<Bits>(key - range.low) >> range.shift;  // large for a key below
    ++counts[key == 0 || bin > bins ? bins : bin];
  }
}

/// The first counters become the sums of all.
template <class Real>
void add_counts(CandidatePool<Real> const& pool, std::size_t slots, std::size_t bins) {
  std::uint64_t* const sums = pool.counts(0);
  for (std::size_t slot = 1; slot < slots; ++slot) {
    std::uint64_t const* const counts = pool.counts(slot);
    for (std::size_t bin = 0; bin <= bins; ++bin) sums[bin] += counts[bin];
  }
}

/// Counts a whole array. Cost: about a nanosecond for each value.
template <class Real>
void count_all_in_bins(ThreadTeam& team, Real const* values, std::size_t size, BinRange<Real> const& range,
                       CandidatePool<Real> const& pool) {
  static constexpr std::size_t length = std::size_t{1} << 15;
  std::size_t const slots = for_each_part(
      team, pool.slots(), (size + length - 1) / length,
      [&](std::size_t slot) { clear_counts(pool.counts(slot), range.bins); },
      [&](std::size_t slot, std::size_t part) {
        std::size_t const begin = part * length;
        count_in_bins(values + begin, smaller(size, begin + length) - begin, range, pool.counts(slot));
      });
  add_counts(pool, slots, range.bins);
}

/// The bin that holds the one of this rank, counted from the largest on, and how many are above it; as many
/// bins as there are, if there is none.
struct RankedBin {
  std::size_t bin;
  std::uint64_t above;
};

inline RankedBin bin_of_rank(std::uint64_t const* counts, std::size_t bins, std::uint64_t rank) {
  std::uint64_t above = 0;
  for (std::size_t bin = bins; bin-- > 0;) {
    if (above + counts[bin] >= rank) return {bin, above};
    above += counts[bin];
  }
  return {bins, above};
}

}  // namespace detail
}  // namespace weir::inline v1
