#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/search_task.hpp"
#include "weir/host/kernels/magnitude_counts.hpp"

namespace weir::inline v1 {
namespace detail {

/// Where the one of a rank is among values with keys in a range.
struct FoundRank {
  RankAnswer answer;  // where there are not so many, the lowest bin, all of them above it
  bool is_there;
  std::uint64_t passes;  // over the values
};

/// Among the values with keys from `lowest` to `highest`. Cost: a pass for 4,096 bins, from the highest on.
template <class Real>
FoundRank find_rank(ThreadTeam& team, CandidatePool<Real> const& pool, Real const* values, std::size_t size,
                    std::uint64_t rank, typename MagnitudeKey<Real>::Bits lowest,
                    typename MagnitudeKey<Real>::Bits highest, unsigned shift) {
  std::uint64_t above = 0;
  for (std::uint64_t passes = 1;; ++passes) {
    BinRange<Real> range = BinRange<Real>::below(highest, shift);
    if (range.low < lowest) {
      std::size_t const skipped = static_cast<std::size_t>((lowest - range.low) >> shift);
      range = {lowest, shift, range.bins - skipped};
    }
    count_all_in_bins(team, values, size, range, pool);
    RankedBin const found = bin_of_rank(pool.counts(0), range.bins, rank - above);
    above += found.above;
    if (found.bin != range.bins) {
      return {
          {std::uint64_t{range.low >> shift} + found.bin, above, pool.counts(0)[found.bin]}, true, passes};
    }
    if (range.low <= lowest) return {{std::uint64_t{lowest >> shift}, above, 0}, false, passes};
    highest = range.low - 1;
  }
}

/// The finite magnitude of that rank, of 1 the largest; 0 where not so many are above 0.
template <class Real>
Real magnitude_of_rank(ThreadTeam& team, CandidatePool<Real> const& pool, Real const* values,
                       std::size_t size, std::uint64_t rank) {
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;
  Bits lowest = 0;
  Bits highest = 0;
  for (std::size_t i = 0; i < size; ++i) {
    Bits const key = Key::of(values[i]);
    highest = key < Key::infinity && key > highest ? key : highest;
  }
  for (unsigned level = 0; level < Key::levels; ++level) {
    unsigned const shift = Key::shift(level);
    FoundRank const found = find_rank(team, pool, values, size, rank, lowest, highest, shift);
    if (!found.is_there) return Real{0};
    rank -= found.answer.above;
    lowest = static_cast<Bits>(found.answer.bin << shift);
    highest = static_cast<Bits>(lowest + ((Bits{1} << shift) - 1));
  }
  return Key::value(lowest);
}

}  // namespace detail
}  // namespace weir::inline v1
