#pragma once

#include <cstdint>

namespace weir::inline v1 {

/// A pass over the accumulator that a search for a threshold asks for.
enum class SearchTask : std::uint32_t {
  excess,   // statistics of (x - base) * scale, in double, of all finite x > base
  moments,  // statistics of all magnitudes, as the first pass takes them
  count,    // how many finite x > threshold
  rank,     // answer `query`
  sample,   // the magnitude of rank `sample.rank` among `sample.size` slots, one of each stride
  select,   // write the slots of `cut`, if there is room for all of them; how many finite ones it has
  draw,     // write `drawn` slots chosen by chance, values times `drawn_factor`
  finish,   // nothing: call `finish`
};

/// Which slots are selected: every finite x > threshold, the first `ties` of those equal to it, and the first
/// `non_finite` of those that are not finite, all by index.
template <class Real>
struct SlotCut {
  Real threshold = 0;
  std::uint64_t ties = 0;
  std::uint64_t non_finite = 0;
};

/// The bin that holds the `rank`-th largest of the magnitudes whose key, shifted by `parent_shift`, is
/// `prefix`; the bins are the keys shifted by `shift`. Zeros and what is not finite are not looked at.
struct RankQuery {
  std::uint64_t rank = 0;
  std::uint64_t prefix = 0;
  std::uint32_t parent_shift = 63;  // all
  std::uint32_t shift = 0;
};

/// That bin, how many of the same prefix lie in bins above it, and how many in it.
struct RankAnswer {
  std::uint64_t bin = 0;
  std::uint64_t above = 0;
  std::uint64_t inside = 0;
};

}  // namespace weir::inline v1
