#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/exec/accumulate_rule.hpp"
#include "weir/exec/selection_random.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/threshold_search.hpp"
#include "weir/host/kernels/drawn_slots.hpp"
#include "weir/host/kernels/magnitude_of_rank.hpp"
#include "weir/host/kernels/scatter.hpp"
#include "weir/host/kernels/selection_passes.hpp"

namespace weir::inline v1 {
namespace detail {

/// Where the accumulator of a sparsification is when it has been made.
template <class Element, class Real, class Space, class Index>
Real* accumulator_of(SparsifyWork<Element, Real, Space, Index> const& work) {
  if (!work.residual.empty() && work.constants.feedback == FeedbackKind::conserving) {
    return work.residual.other();
  }
  if (!work.accumulator.empty()) return work.accumulator.data();
  if constexpr (std::is_same_v<std::remove_const_t<Element>, Real>) {
    return const_cast<Real*>(work.terms[0].values.data());
  }
  return nullptr;
}

/// The passes over the data that a sparsification on the host consists of. No result depends on the number of
/// threads.
template <class Element, class Real, class Index>
class SparsifyPasses {
 public:
  using Work = SparsifyWork<Element, Real, HostSpace, Index>;
  using Pool = CandidatePool<Real>;
  using Key = MagnitudeKey<Real>;

  static std::size_t scratch_bytes(std::size_t size, std::size_t threads) {
    return Pool::bytes(size, threads);
  }

  SparsifyPasses(ThreadTeam& team, Work const& work, SelectionKey const& key)
      : team_(team),
        work_(work),
        key_(key),
        size_(work.terms[0].values.size()),
        pool_(work.scratch.data(), size_, team.size()),
        accumulator_(accumulator_of(work)),
        passes_(team, pool_, accumulator_, size_) {}

  std::size_t size() const { return size_; }

  /// How many passes over the whole accumulator there have been.
  std::uint64_t sweeps() const { return passes_.sweeps(); }

  /// What the first pass of an earlier part has found out.
  void take(TailStatistics const& tail) { passes_.take(tail); }

  /// Makes the accumulator, and u, and finds out what is known of the magnitudes: counts, smallest and
  /// largest always, the rest where it is needed.
  template <bool Moments, bool Logarithms>
  TailStatistics accumulate() {
    return with_input(
        [&](auto const& input) { return passes_.template accumulate<Moments, Logarithms>(input); });
  }

  /// The same for a search of about the k largest.
  TailStatistics accumulate_ranked(std::uint64_t k) {
    std::uint64_t const number = key_.step * 0x9e37'79b9'7f4a'7c15u ^ key_.bucket;
    return with_input([&](auto const& input) { return passes_.accumulate_guarded(input, k, number); });
  }

  /// The same where the threshold is probably known.
  TailStatistics accumulate_above(Real threshold) {
    return with_input([&](auto const& input) { return passes_.accumulate_above(input, threshold); });
  }

  /// What `accumulate` finds out, of the accumulator that is there.
  template <bool Logarithms>
  TailStatistics moments() {
    return passes_.template accumulate<true, Logarithms>(GivenInput<Real>{accumulator_});
  }

  void count_shared(SharedRankSearch<Real> const& shared, std::uint64_t* counters) {
    passes_.count_shared(shared, counters);
  }
  TailStatistics excess(double base, double scale) { return passes_.excess(base, scale); }
  std::uint64_t count(Real threshold) { return passes_.count(threshold); }
  RankAnswer rank(RankQuery const& query, Real largest) { return passes_.rank(query, largest); }

  /// Writes the slots of a cut in ascending order, unless there is no room for all. Returns how many finite
  /// ones it has.
  std::uint64_t select(SlotCut<Real> const& cut) {
    return passes_.select(cut, work_.out.indices.data(), work_.out.values.data(), work_.out.capacity());
  }

  /// The magnitude of that rank among the drawn ones; what is not finite counts as 0.
  Real sample(SampleRequest const& request) {
    passes_.forget();
    std::size_t const samples = static_cast<std::size_t>(request.size);
    Real* const values = pool_.values();
    std::size_t kept = 0;
    for (std::size_t drawn = 0;;) {
      std::size_t const count = smaller(samples - drawn, pool_.capacity() - kept);
      draw_magnitudes(samples, drawn, count, values + kept);
      drawn += count;
      Real const found = magnitude_of_rank(team_, pool_, values, kept + count, request.rank);
      if (drawn == samples) return found;
      // More than half of a large vector is drawn for the sake of a handful.
      kept = keep_largest(values, kept + count, static_cast<std::size_t>(request.rank), found);
    }
  }

  /// Writes `count` slots drawn by chance, in ascending order, their values times `factor`; a factor of 0
  /// gives +0 whatever they are.
  void draw(std::uint64_t count, double factor) {
    if (count == 0) return;
    DrawnSlots<Real> slots(team_, pool_, size_);
    slots.draw(SlotPermutation(key_, size_), static_cast<std::size_t>(count));
    Real const multiplier = static_cast<Real>(factor);
    slots.for_each([&](std::size_t place, std::size_t slot) {
      work_.out.indices[place] = static_cast<Index>(slot);
      work_.out.values[place] = multiplier == 0 ? Real{0} : rounded_product(accumulator_[slot], multiplier);
    });
  }

  /// Rounds what is sent, and takes it out of the residual and the momentum.
  void commit(std::uint64_t count, bool has_non_finite) {
    bool const keeps_differences = work_.constants.feedback == FeedbackKind::differences;
    Real* const residual = work_.residual.empty() ? nullptr
                           : keeps_differences    ? work_.residual.current()
                                                  : accumulator_;
    Real* const momentum = work_.momentum.empty() ? nullptr : work_.momentum.other();
    commit_sent(team_, work_.out.indices.data(), work_.out.values.data(), static_cast<std::size_t>(count),
                work_.constants, residual, work_.constants.masks_momentum ? momentum : nullptr);
    if (!has_non_finite) return;
    if (residual != nullptr && !work_.constants.keeps_non_finite) clear_non_finite(team_, residual, size_);
    if (momentum != nullptr) clear_non_finite(team_, momentum, size_);
  }

 private:
  /// Calls `f` with what the accumulator is made of.
  template <class Function>
  TailStatistics with_input(Function const& f) {
    using Source = std::remove_const_t<Element>;
    AccumulateRule<Real> const rule(work_.constants, work_.scale.factor());
    if constexpr (std::is_same_v<Source, Real>) {
      bool const is_there = work_.residual.empty() && work_.terms.size() == 1 &&
                            work_.terms[0].weight == 1.0 && rule.factor == 1 &&
                            work_.terms[0].values.data() == accumulator_;
      if (is_there) return f(GivenInput<Real>{accumulator_});
    }
    return f(AccumulatedInput<Element, Real>{work_.terms.data(), work_.terms.size(), rule,
                                             work_.residual.empty() ? nullptr : work_.residual.current(),
                                             work_.momentum.empty() ? nullptr : work_.momentum.current(),
                                             work_.momentum.empty() ? nullptr : work_.momentum.other(),
                                             accumulator_});
  }

  /// Those of the samples `first` and on.
  void draw_magnitudes(std::size_t samples, std::size_t first, std::size_t count, Real* out) {
    constexpr std::size_t bytes = 64;  // of each a line of memory, in the time that it takes to find it
    share(team_, count, bytes, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        auto const key = Key::of(accumulator_[sampled_slot(key_, size_, samples, first + i)]);
        out[i] = Key::takes_part(key) ? Key::value(key) : Real{0};
      }
    });
  }

  /// Leaves the `rank` largest, of which `last` is the smallest, at the front.
  static std::size_t keep_largest(Real* values, std::size_t count, std::size_t rank, Real last) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; ++i)
      if (values[i] > last) values[kept++] = values[i];
    while (kept < rank) values[kept++] = last;
    return kept;
  }

  ThreadTeam& team_;
  Work const& work_;
  SelectionKey key_;
  std::size_t size_;
  Pool pool_;
  Real* accumulator_;
  SelectionPasses<Real> passes_;
};

}  // namespace detail
}  // namespace weir::inline v1
