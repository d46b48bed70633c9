#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/square_root.hpp"
#include "weir/exec/tail_statistics.hpp"
#include "weir/exec/threshold_search.hpp"
#include "weir/host/kernels/collect_candidates.hpp"
#include "weir/host/kernels/compact_selected.hpp"
#include "weir/host/kernels/magnitude_of_rank.hpp"
#include "weir/host/kernels/selection_input.hpp"
#include "weir/host/kernels/tail_lanes.hpp"

namespace weir::inline v1 {
namespace detail {

/// The passes over a vector that a threshold search asks for. The first of them, which makes the vector, may
/// keep candidates, from which later ones are answered without another look at the rest where that gives the
/// same. No result depends on the number of threads, nor on the candidates.
///
/// Cost: a pass over memory each, unless it is said otherwise; nothing is allocated.
template <class Number>
class SelectionPasses {
 public:
  using Real = Number;
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;
  using Pool = CandidatePool<Real>;

  /// `values` are there after one of the first three passes, or have been before.
  SelectionPasses(ThreadTeam& team, Pool const& pool, Real const* values, std::size_t size)
      : team_(team), pool_(pool), values_(values), size_(size) {}

  /// Takes over what a first pass has found out that was another one's.
  void take(TailStatistics const& tail) {
    knows_non_finite_ = true;
    non_finite_ = tail.non_finite;
  }

  /// Makes the values: counts, smallest and largest magnitude are always found out.
  template <bool Moments, bool Logarithms, class Input>
  TailStatistics accumulate(Input const& input) {
    ++sweeps_;
    TailStatistics const tail = tail_after<Moments, Logarithms, false>(
        TakeAll<Input>{input.prepared(size_, true)}, team_, values_, size_);
    take(tail);
    return tail;
  }

  /// Makes the values and keeps candidates for a search of the k largest, from a guess that a sample makes
  /// and that affects the time only, as does `number`, best another one for each bucket and step. Of the
  /// tail there are the counts and the largest; the smallest is that, or some other magnitude where not all
  /// are equal.
  template <class Input>
  TailStatistics accumulate_guarded(Input const& input, std::uint64_t k, std::uint64_t number) {
    Bits const guard = guess_guard(input, k, number);
    BinRange<Real> range;
    if (guard != 0) range = BinRange<Real>::from(static_cast<Bits>(guard + 1), Key::shift(0));
    TailStatistics const tail = collect(input.prepared(size_, false), guard, range);
    has_counts_ = range.bins != 0;
    counted_ = range;
    bool const is_known = candidates_.finite() > k || guard == 0;
    return is_known && candidates_.smallest != candidates_.largest ? tail : census();
  }

  /// Makes the values and keeps those above `threshold` as candidates. The tail as above.
  template <class Input>
  TailStatistics accumulate_above(Input const& input, Real threshold) {
    TailStatistics const tail = collect(input.prepared(size_, false), Key::of(threshold), {});
    return candidates_.finite() > 1 && candidates_.smallest != candidates_.largest ? tail : census();
  }

  /// How many passes over all the values there have been.
  std::uint64_t sweeps() const { return sweeps_; }

  /// How many finite magnitudes the last two found above the guard or the threshold.
  std::uint64_t candidates() const { return candidates_.finite(); }

  /// The memory of the candidates has been used for something else.
  void forget() {
    candidates_.fit = false;
    has_counts_ = false;
  }

  /// Adds the magnitudes to the counters of a search that ranks share.
  void count_shared(SharedRankSearch<Real> const& shared, std::uint64_t* counters) {
    constexpr std::size_t length = std::size_t{1} << 15;
    constexpr std::size_t count = SharedRankSearch<Real>::counters;
    SharedRankSearch<Real> const search = shared;
    forget();
    ++sweeps_;
    std::size_t const slots = for_each_part(
        team_, pool_.slots(), (size_ + length - 1) / length,
        [&](std::size_t slot) { clear_counts(pool_.counts(slot), count); },
        [&](std::size_t slot, std::size_t part) {
          std::uint64_t* const counts = pool_.counts(slot);
          std::size_t const end = smaller(size_, (part + 1) * length);
          for (std::size_t i = part * length; i < end; ++i) ++counts[search.counter_of(values_[i])];
        });
    add_counts(pool_, slots, count);
    for (std::size_t i = 0; i < count; ++i) counters[i] += pool_.counts(0)[i];
  }

  /// Of (x - base) * scale, over all finite x > base; `scale` is a power of two.
  TailStatistics excess(double base, double scale = 1.0) {
    ++sweeps_;
    return tail_after<true, false, true>(NoWork{}, team_, values_, size_, base, scale);
  }

  /// How many finite x > threshold. Cost: of candidates, where they suffice.
  std::uint64_t count(Real threshold) {
    KeyCut<Real> const cut{Key::of(threshold), 0};
    if (cut.threshold >= Key::infinity) return 0;
    if (has_all(cut)) return place_candidates(team_, size_, cut, pool_) - candidates_.non_finite;
    ++sweeps_;
    return place_elements(team_, values_, size_, cut, pool_) - non_finite();
  }

  /// `largest`: of the finite magnitudes. Cost: nothing, or of candidates, where they suffice.
  RankAnswer rank(RankQuery const& query, Real largest) {
    bool const is_first = query.parent_shift == 63;
    unsigned const shift = query.shift;
    if (is_first && has_counts_ && shift == counted_.shift && Key::of(largest) >= counted_.low &&
        (Key::of(largest) - counted_.low) >> shift < counted_.bins) {
      RankedBin const found = bin_of_rank(pool_.counts(0), counted_.bins, query.rank);
      if (found.bin != counted_.bins) return answer(counted_, found);
    }
    Bits const lowest = is_first ? Bits{0} : static_cast<Bits>(query.prefix << query.parent_shift);
    Bits const highest =
        is_first ? Key::of(largest) : static_cast<Bits>(lowest + ((Bits{1} << query.parent_shift) - 1));
    bool const knows_all = candidates_.fit && (is_first || lowest > candidates_.guard);
    if (knows_all) {
      std::size_t const candidates = static_cast<std::size_t>(candidates_.count);
      RankAnswer found;
      if (rank_among(pool_.values(), candidates, query.rank, lowest, highest, shift, found) &&
          (candidates_.guard == 0 || static_cast<Bits>(found.bin << shift) > candidates_.guard)) {
        return found;
      }
    }
    RankAnswer found;
    rank_among(values_, size_, query.rank, lowest, highest, shift, found);
    return found;
  }

  /// Writes the slots of a cut in ascending order, unless there is no room for all; returns how many finite
  /// ones it has. Cost: of candidates, where they suffice; else one pass, or three where half of the elements
  /// or more are selected.
  template <class Index>
  std::uint64_t select(SlotCut<Real> const& slots, Index* indices, Real* values, std::size_t room) {
    KeyCut<Real> const cut = key_cut(slots);
    if (!has_all(cut)) collect(GivenInput<Real>{values_}, guard_of(cut), {});
    bool const is_in_pool = has_all(cut);
    std::uint64_t const all = is_in_pool ? place_candidates(team_, size_, cut, pool_)
                                         : place_elements(team_, values_, size_, cut, pool_);
    sweeps_ += is_in_pool ? 0 : all > room ? 1 : 2;
    if (all > room) return all - slots.non_finite;
    if (is_in_pool) {
      compact_candidates(team_, size_, cut, pool_, indices, values);
    } else {
      compact_elements(team_, GivenInput<Real>{values_}, size_, cut, pool_, indices, values);
    }
    return all - slots.non_finite;
  }

 private:
  static constexpr std::size_t least_stride = 16;
  static constexpr std::size_t least_samples = 1024;
  static constexpr std::size_t neighbours = 4;

  template <class Input>
  struct TakeAll {
    Input input;

    template <int VectorBytes>
    [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
      if constexpr (std::is_same_v<Input, GivenInput<Real>>) return;
      constexpr std::size_t count = VectorBytes / sizeof(Real);
      Input const from = input;
      std::size_t i = begin;
      for (std::size_t groups = (end - i) / 64; groups != 0; --groups) {
        from.template fetch<64>(i);
        for (std::size_t part = 0; part < 64; part += count, i += count) {
          Lanes<Real, count> value;
          from.template take<count>(i, value);
        }
      }
      for (; i < end; ++i) {
        Real value;
        from.template take<1>(i, value);
      }
    }
  };

  template <class Input>
  TailStatistics collect(Input const& input, Bits guard, BinRange<Real> const& range) {
    ++sweeps_;
    has_counts_ = false;
    candidates_ = collect_candidates(team_, input, size_, guard, range, pool_);
    if (guard < Key::infinity) {
      knows_non_finite_ = true;
      non_finite_ = candidates_.non_finite;
    }
    TailStatistics tail;
    tail.non_finite = candidates_.non_finite;
    tail.participants = candidates_.non_zero - candidates_.non_finite;
    tail.smallest = static_cast<double>(Key::value(candidates_.smallest));
    tail.largest = static_cast<double>(Key::value(candidates_.largest));
    return tail;
  }

  /// What the candidates do not say.
  TailStatistics census() { return accumulate<false, false>(GivenInput<Real>{values_}); }

  std::uint64_t non_finite() {
    if (!knows_non_finite_) census();
    return non_finite_;
  }

  /// A key such that probably more than k elements are above it, but not many more, and no bin of the first
  /// level is above it in part only. 0: none is known.
  template <class Input>
  Bits guess_guard(Input const& input, std::uint64_t k, std::uint64_t number) {
    std::size_t const count = smaller(Pool::samples, size_ / least_stride) / neighbours * neighbours;
    if (count < least_samples) return 0;
    double const expected = static_cast<double>(count) * static_cast<double>(k) / static_cast<double>(size_);
    double const rank = expected + 5.0 * v1::square_root(expected) + 8.0;
    if (rank >= static_cast<double>(count)) return 0;
    draw_sample(input, count, number);
    Real const* const sample = pool_.sample();
    Bits largest = 0;
    for (std::size_t i = 0; i < count; ++i) {
      Bits const key = Key::of(sample[i]);
      largest = key < Key::infinity && key > largest ? key : largest;
    }
    auto const range = BinRange<Real>::below(largest, Key::shift(0));
    clear_counts(pool_.counts(0), range.bins);
    count_in_bins(sample, count, range, pool_.counts(0));
    RankedBin const found = bin_of_rank(pool_.counts(0), range.bins, static_cast<std::uint64_t>(rank));
    if (found.bin == range.bins) return 0;
    Bits const low = range.low + (static_cast<Bits>(found.bin) << range.shift);
    return low == 0 ? 0 : low - 1;
  }

  /// A few neighbours from each stride: most of the time goes into fetching them, and they come together. The
  /// cache is asked for many before the first is used.
  template <class Input>
  void draw_sample(Input const& input, std::size_t count, std::uint64_t number) {
    static constexpr std::size_t part = 256;
    std::size_t const strides = count / neighbours;
    std::size_t const length = size_ / strides;
    for_each_part(team_, pool_.slots(), (strides + part - 1) / part, [&](std::size_t, std::size_t index) {
      std::size_t const begin = index * part;
      std::size_t const end = smaller(strides, begin + part);
      std::size_t places[part];
      for (std::size_t i = begin; i < end; ++i) {
        std::uint64_t hash = (number + i + 1) * 0x9e37'79b9'7f4a'7c15u;  // a step of splitmix64
        hash = (hash ^ (hash >> 30)) * 0xbf58'476d'1ce4'e5b9u;
        places[i - begin] = i * length + static_cast<std::size_t>((hash >> 32) % (length - neighbours));
        input.touch(places[i - begin]);
      }
      for (std::size_t i = begin; i < end; ++i) {
        for (std::size_t j = 0; j < neighbours; ++j)
          pool_.sample()[i * neighbours + j] = input.preview(places[i - begin] + j);
      }
    });
  }

  KeyCut<Real> key_cut(SlotCut<Real> const& slots) {
    if (slots.non_finite < non_finite()) return {Key::infinity, slots.non_finite};
    Bits const threshold = Key::of(slots.threshold);
    if (threshold < Key::infinity) return {threshold, slots.ties};
    return {static_cast<Bits>(Key::infinity - 1), 0};
  }

  static Bits guard_of(KeyCut<Real> const& cut) {
    return cut.ties == 0 || cut.threshold == 0 ? cut.threshold : static_cast<Bits>(cut.threshold - 1);
  }
  bool has_all(KeyCut<Real> const& cut) const {
    return candidates_.fit && guard_of(cut) >= candidates_.guard;
  }

  RankAnswer answer(BinRange<Real> const& range, RankedBin const& found) const {
    return {std::uint64_t{range.low >> range.shift} + found.bin, found.above, pool_.counts(0)[found.bin]};
  }

  /// Among the values with keys from `lowest` to `highest`. False where there are not so many.
  bool rank_among(Real const* values, std::size_t size, std::uint64_t rank, Bits lowest, Bits highest,
                  unsigned shift, RankAnswer& result) {
    has_counts_ = false;
    FoundRank const found = find_rank(team_, pool_, values, size, rank, lowest, highest, shift);
    sweeps_ += values == values_ ? found.passes : 0;
    result = found.answer;
    return found.is_there;
  }

  ThreadTeam& team_;
  Pool const& pool_;
  Real const* values_;
  std::size_t size_;
  Candidates<Real> candidates_;
  BinRange<Real> counted_;
  std::uint64_t non_finite_ = 0;
  std::uint64_t sweeps_ = 0;
  bool knows_non_finite_ = false;
  bool has_counts_ = false;
};

}  // namespace detail
}  // namespace weir::inline v1
