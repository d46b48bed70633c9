#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/exec/accumulate_rule.hpp"
#include "weir/exec/selection_random.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/threshold_search.hpp"
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
    std::size_t const rank = static_cast<std::size_t>(request.rank);
    auto const magnitude = [&](std::size_t number) {
      auto const key = Key::of(accumulator_[sampled_slot(key_, size_, samples, number)]);
      return Key::takes_part(key) ? Key::value(key) : Real{0};
    };
    if (samples <= pool_.capacity()) {
      for (std::size_t i = 0; i < samples; ++i) pool_.values()[i] = magnitude(i);
      return largest_of_rank(pool_.values(), samples, rank);
    }
    // More than half of a large vector is drawn for the sake of a handful: those are kept in order.
    Real* const kept = pool_.sample();
    std::size_t count = 0;
    for (std::size_t i = 0; i < samples; ++i) {
      Real const value = magnitude(i);
      if (count == rank && !(value > kept[rank - 1])) continue;
      std::size_t place = count < rank ? count++ : rank - 1;
      for (; place > 0 && value > kept[place - 1]; --place) kept[place] = kept[place - 1];
      kept[place] = value;
    }
    return kept[rank - 1];
  }

  /// Writes `count` slots drawn by chance, in ascending order, their values times `factor`; a factor of 0
  /// gives +0 whatever they are.
  void draw(std::uint64_t count, double factor) {
    if (count == 0) return;
    // A bit for each slot.
    std::uint64_t* const marks = reinterpret_cast<std::uint64_t*>(pool_.values());
    std::size_t const words = (size_ + 63) / 64;
    for (std::size_t i = 0; i < words; ++i) marks[i] = 0;
    SlotPermutation const slots(key_, size_);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::uint64_t const slot = slots(i);
      marks[slot / 64] |= std::uint64_t{1} << (slot % 64);
    }
    Real const multiplier = static_cast<Real>(factor);
    std::size_t place = 0;
    for (std::size_t word = 0; word < words; ++word) {
      for (std::uint64_t rest = marks[word]; rest != 0; rest &= rest - 1) {
        std::size_t const slot = word * 64 + static_cast<std::size_t>(__builtin_ctzll(rest));
        work_.out.indices[place] = static_cast<Index>(slot);
        work_.out.values[place] = multiplier == 0 ? Real{0} : rounded_product(accumulator_[slot], multiplier);
        ++place;
      }
    }
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
    if (residual != nullptr) clear_non_finite(team_, residual, size_);
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

  /// Of `rank` 1 the largest; reorders the values.
  static Real largest_of_rank(Real* values, std::size_t size, std::size_t rank) {
    std::size_t begin = 0;
    std::size_t end = size;
    std::size_t const wanted = rank - 1;
    while (end - begin > 1) {
      Real const pivot = values[begin + (end - begin) / 2];
      std::size_t low = begin;
      std::size_t high = end;  // one past
      for (;;) {
        while (values[low] > pivot) ++low;
        while (values[high - 1] < pivot) --high;
        if (low >= high) break;
        Real const moved = values[low];
        values[low] = values[high - 1];
        values[high - 1] = moved;
        ++low;
        --high;
        if (low >= high) break;
      }
      if (wanted < high) {
        end = high;
      } else if (wanted >= low) {
        begin = low;
      } else {
        return pivot;
      }
    }
    return values[wanted];
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
