#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/sparsify_layout.hpp"

namespace weir::inline v1 {
namespace detail {

/// Bins of keys shifted by `shift`, as many as there are counters, of keys from `lowest` to `highest`.
template <class Bits>
struct BinWindow {
  Bits low = 0;  // where the first bin begins
  Bits lowest = 0;
  Bits highest = 0;
  std::uint32_t shift = 0;

  /// The highest bins of keys from `lowest` to `highest`.
  WEIR_HOST_DEVICE static constexpr BinWindow below(Bits highest, Bits lowest, unsigned shift) {
    constexpr Bits others = SparsifyLayout::bins - 1;
    Bits const top = highest >> shift;
    Bits const wanted = lowest >> shift;
    Bits const first = top > others && top - others > wanted ? top - others : wanted;
    Bits const low = static_cast<Bits>(first << shift);
    return {low, low > lowest ? low : lowest, highest, shift};
  }

  WEIR_HOST_DEVICE bool has(Bits key) const { return key >= lowest && key <= highest; }
  WEIR_HOST_DEVICE std::size_t bin(Bits key) const { return static_cast<std::size_t>((key - low) >> shift); }
  WEIR_HOST_DEVICE Bits key_of(std::size_t bin) const { return low + (static_cast<Bits>(bin) << shift); }
};

/// A bin that holds a rank, counted from above.
struct FoundBin {
  std::uint64_t bin = 0;
  std::uint64_t above = 0;   // in bins above it; of all bins where there is none
  std::uint64_t inside = 0;  // 0: there is none
};

/// Finds the bin that holds the `rank`-th largest, of counters that lie in a row, and clears them.
template <class Block, class Count>
WEIR_HOST_DEVICE inline void find_bin(Block const& block, Count* counters, std::uint64_t rank,
                                      std::uint64_t (&sums)[search_threads], FoundBin& found) {
  constexpr std::size_t share = SparsifyLayout::bins / search_threads;
  block.each([&](unsigned thread) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < share; ++i) sum += counters[thread * share + i];
    sums[thread] = sum;
    if (thread == 0) found = {};
  });
  block.each([&](unsigned thread) {
    std::uint64_t above = 0;
    for (unsigned other = thread + 1; other < search_threads; ++other) above += sums[other];
    std::uint64_t const own = sums[thread];
    if (above < rank && rank <= above + own) {
      std::size_t bin = (thread + 1) * share - 1;
      while (above + counters[bin] < rank) above += counters[bin--];
      found = {bin, above, counters[bin]};
    } else if (thread == 0 && above + own < rank) {
      found = {0, above + own, 0};
    }
  });
  block.each([&](unsigned thread) {
    for (std::size_t i = thread; i < SparsifyLayout::bins; i += search_threads) counters[i] = 0;
  });
}

}  // namespace detail
}  // namespace weir::inline v1
