#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/magnitude_key.hpp"
#include "weir/exec/rank_search.hpp"
#include "weir/exec/search_task.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

/// Finds the cut that takes the k largest magnitudes of all ranks: each counts its own in the same bins, and
/// the sums of these counters move the search on, on all of them in the same way. It ends where the search of
/// one rank with everybody's data would.
///
/// The first round counts in bins the 16 octaves below the largest magnitude, and by 16 octaves what is
/// below.
template <class Real>
class SharedRankSearch {
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;
  static constexpr unsigned coarse_shift = Key::shift(0) + 12;

 public:
  static constexpr std::size_t bins = 4096;
  static constexpr std::size_t counters = bins + (Key::infinity >> coarse_shift) + 1;
  static constexpr unsigned rounds = Key::levels + 1;  // at most

  /// `all` is the tail of all ranks, `own` this one's.
  WEIR_HOST_DEVICE void start(std::uint64_t k, std::uint64_t tolerance, bool is_exact,
                              TailStatistics const& all, TailStatistics const& own) {
    *this = {};
    if (k == 0 || all.participants == 0) return end({Key::value(Key::infinity), 0, 0});
    if (all.participants <= k) return end({});
    if (all.smallest == all.largest) {
      own_ties_ = own.participants;
      return end({static_cast<Real>(all.largest), k, 0});
    }
    search_.start(k, tolerance, is_exact);
    highest_ = Key::of(static_cast<Real>(all.largest));
    Bits const top = highest_ >> search_.query.shift;
    Bits const first = top < bins ? 0 : top - static_cast<Bits>(bins - 1);
    low_ = static_cast<Bits>(first << search_.query.shift);
    has_coarse_ = low_ != 0;
  }

  WEIR_HOST_DEVICE bool is_done() const { return is_done_; }

  /// Which counter a magnitude belongs to in this round; `counters`, if to none.
  WEIR_HOST_DEVICE std::size_t counter_of(Real value) const {
    Bits const key = Key::of(value);
    if (!Key::takes_part(key) || key > highest_) return counters;
    if (key >= low_) return static_cast<std::size_t>((key - low_) >> search_.query.shift);
    return has_coarse_ ? bins + static_cast<std::size_t>(key >> coarse_shift) : counters;
  }

  /// Takes the counters of a round: the sums of all ranks, and this one's.
  WEIR_HOST_DEVICE void resume(std::uint64_t const* sums, std::uint64_t const* own) {
    if (is_done_) return;
    Found const found = find(sums, bins, search_.query.rank - above_);
    if (found.inside == 0) return look_below(sums + bins, found.above);
    own_ties_ = own[found.bin];
    std::uint64_t const bin = (low_ >> search_.query.shift) + found.bin;
    if (!search_.resume({bin, above_ + found.above, found.inside})) return end(search_.cut);
    unsigned const shift = search_.query.parent_shift;
    low_ = static_cast<Bits>(search_.query.prefix << shift);
    highest_ = low_ + ((Bits{1} << shift) - 1);
    above_ = 0;
    has_coarse_ = false;
  }

  /// How many magnitudes of this rank are equal to a threshold that is cut by index.
  WEIR_HOST_DEVICE std::uint64_t const& own_ties() const { return own_ties_; }

  /// Leaves this rank its part of the ties: those of the ranks before it come first.
  WEIR_HOST_DEVICE void divide(std::uint64_t const* ties_of_ranks, std::size_t rank) {
    std::uint64_t left = cut_.ties;
    for (std::size_t other = 0; other < rank; ++other)
      left -= left < ties_of_ranks[other] ? left : ties_of_ranks[other];
    cut_.ties = left < ties_of_ranks[rank] ? left : ties_of_ranks[rank];
  }

  /// In the end. A threshold of infinity selects nothing.
  WEIR_HOST_DEVICE SlotCut<Real> const& cut() const { return cut_; }
  WEIR_HOST_DEVICE bool selects_nothing() const { return Key::of(cut_.threshold) >= Key::infinity; }
  WEIR_HOST_DEVICE std::uint32_t levels() const { return search_.levels == 0 ? 1 : search_.levels; }

 private:
  struct Found {
    std::size_t bin = 0;
    std::uint64_t above = 0;   // of all, where there is none
    std::uint64_t inside = 0;  // 0: there is none
  };

  /// A thread of a device does it alone: it has many counters on the way at once.
  WEIR_HOST_DEVICE static Found find(std::uint64_t const* sums, std::size_t count, std::uint64_t rank) {
    constexpr std::size_t group = 64;
    std::uint64_t above = 0;
    std::size_t bin = count;
    while (bin >= group) {
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < group; ++i) sum += sums[bin - group + i];
      if (above + sum >= rank) break;
      above += sum;
      bin -= group;
    }
    while (bin-- > 0) {
      if (above + sums[bin] >= rank) return {bin, above, sums[bin]};
      above += sums[bin];
    }
    return {0, above, 0};
  }

  WEIR_HOST_DEVICE void look_below(std::uint64_t const* coarse, std::uint64_t above) {
    above_ += above;
    Found const found = find(coarse, counters - bins, search_.query.rank - above_);
    above_ += found.above;
    Bits const low = static_cast<Bits>(static_cast<Bits>(found.bin) << coarse_shift);
    Bits const high = low + ((Bits{1} << coarse_shift) - 1);
    highest_ = high < low_ ? high : low_ - 1;
    low_ = low;
    has_coarse_ = false;
  }

  WEIR_HOST_DEVICE void end(SlotCut<Real> const& cut) {
    cut_ = cut;
    is_done_ = true;
  }

  RankSearch<Real> search_ = {};
  SlotCut<Real> cut_ = {};
  std::uint64_t own_ties_ = 0;
  std::uint64_t above_ = 0;  // of what the query is about, in rounds before
  Bits low_ = 0;
  Bits highest_ = 0;
  bool has_coarse_ = false;
  bool is_done_ = false;
};

}  // namespace weir::inline v1
