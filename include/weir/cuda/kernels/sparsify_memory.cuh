#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/collect.cuh"
#include "weir/cuda/kernels/rank_bins.cuh"
#include "weir/cuda/kernels/select_slots.cuh"
#include "weir/cuda/sparsify_layout.hpp"
#include "weir/exec/selection_random.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/tail_lane.hpp"

namespace weir::inline v1 {
namespace detail {

/// What a policy needs of the first pass.
enum class FirstPassNeed : std::uint32_t { census, ranks, moments };

/// What the first pass does, which is decided on the device.
enum class FirstPassMode : std::uint32_t {
  skipped,     // nothing: the step is void
  given,       // nothing: it was done by an earlier call
  moments,     // takes all statistics
  census,      // counts
  candidates,  // counts, and keeps what is above a guard
};

/// What all blocks do next.
enum class SearchPhase : std::uint32_t {
  begin,  // nothing: the first pass was before
  excess,
  moments,
  count,
  bins,
  collect,
  count_slots,
  write_slots,
  clear_marks,
  mark,
  count_marks,
  write_marks,
  clear_non_finite,
  end,
};

/// Where a phase takes the elements from.
enum class SearchSource : std::uint32_t { values, candidates, samples };

template <class Real>
struct SearchCommand {
  using Bits = typename MagnitudeKey<Real>::Bits;
  SearchPhase phase;
  SearchSource source;
  std::uint32_t is_last;  // no block waits for the others after it
  Real threshold;
  double base;
  double scale;
  BinWindow<Bits> window;
  Bits guard;
  std::uint64_t samples;
  SlotCut<Real> cut;
  std::uint64_t drawn;
  Real multiplier;
  std::uint32_t commits;  // what is sent leaves the residual
};

/// What blocks, and one kernel and the next, tell each other.
template <class Real>
struct SparsifyHeader {
  using Bits = typename MagnitudeKey<Real>::Bits;
  std::uint32_t arrived;
  std::uint32_t generation;
  std::uint32_t left;  // blocks of the first pass that are done
  FirstPassMode mode;
  std::uint32_t overflows;  // not 0: a unit has more candidates than room
  std::uint64_t non_finite;
  std::uint64_t participants;
  Bits smallest;
  Bits largest;
  Bits guard;
  std::uint64_t counted;
  TailStatistics tail;
  SearchCommand<Real> command;
};

/// One sparsification as the kernels see it, whatever the elements and the policy.
template <class Number, class IndexType = std::uint32_t>
struct DeviceWork {
  using Real = Number;
  using Index = IndexType;
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;
  static_assert(sizeof(SparsifyHeader<Real>) <= SparsifyLayout::header_bytes);

  SparsifyLayout layout;
  std::byte* scratch;
  SparsifyConstants constants;
  GradientScale scale;
  ThresholdState* state;
  Real* accumulator;  // where it is not the other side of the residual
  bool is_given;      // the accumulator is there, as the only term
  TwoSidedView<Real, DeviceSpace> residual;
  TwoSidedView<Real, DeviceSpace> momentum;
  SelectionCounts* counts;
  Index* indices;
  Real* values;
  std::uint64_t capacity;
  std::uint64_t const* step;
  SparsifyPart part;
  FirstPassNeed need;
  TailStatistics* tail;
  SharedTail const* shared_tail;
  SharedRankSearch<Real> const* shared_rank;
  std::uint64_t* shared_counters;

  WEIR_HOST_DEVICE SparsifyHeader<Real>& header() const {
    return *reinterpret_cast<SparsifyHeader<Real>*>(scratch);
  }
  WEIR_HOST_DEVICE std::uint64_t* counters() const {
    return reinterpret_cast<std::uint64_t*>(scratch + layout.counters());
  }
  WEIR_HOST_DEVICE TailNode* nodes() const { return reinterpret_cast<TailNode*>(scratch + layout.nodes()); }
  WEIR_HOST_DEVICE UnitCounts* unit_counts() const {
    return reinterpret_cast<UnitCounts*>(scratch + layout.counts());
  }
  WEIR_HOST_DEVICE UnitPlace* unit_places() const {
    return reinterpret_cast<UnitPlace*>(scratch + layout.places());
  }
  WEIR_HOST_DEVICE std::uint64_t* found() const {
    return reinterpret_cast<std::uint64_t*>(scratch + layout.found());
  }
  WEIR_HOST_DEVICE Real* candidate_values() const {
    return reinterpret_cast<Real*>(scratch + layout.values());
  }
  WEIR_HOST_DEVICE std::uint32_t* candidate_offsets() const {
    return reinterpret_cast<std::uint32_t*>(scratch + layout.offsets(sizeof(Real)));
  }
  WEIR_HOST_DEVICE CandidateRoom<Real> room_of(std::size_t unit) const {
    std::size_t const first = unit * layout.unit_room();
    return {candidate_values() + first, candidate_offsets() + first, layout.unit_room()};
  }
  WEIR_HOST_DEVICE CandidatesOfUnit<Real> candidates() const {
    return {candidate_values(), candidate_offsets(), found(), layout};
  }

  WEIR_HOST_DEVICE std::size_t end_of(std::size_t unit) const {
    std::size_t const end = (unit + 1) * layout.unit;
    return end < layout.size ? end : layout.size;
  }

  /// What the random choices are keyed by.
  WEIR_HOST_DEVICE SelectionKey key(ThresholdState const& now) const {
    return {constants.seed, constants.bucket, step != nullptr ? *step : now.step};
  }
};

/// The memories of a step. Which side is which is looked up once, before the step moves it.
template <class Real>
struct StepPlaces {
  Real* accumulator;
  Real* kept;  // what loses, or gains, what is sent; null: nothing
  Real const* residual;
  Real const* momentum;
  Real* next_momentum;

  template <class Index>
  WEIR_HOST_DEVICE static StepPlaces of(DeviceWork<Real, Index> const& work) {
    StepPlaces places{work.accumulator, nullptr, nullptr, nullptr, nullptr};
    if (!work.residual.empty()) {
      places.residual = work.residual.current();
      if (work.constants.feedback == FeedbackKind::conserving) {
        places.accumulator = work.residual.other();
        places.kept = places.accumulator;
      } else {
        places.kept = work.residual.current();
      }
    }
    if (!work.momentum.empty()) {
      places.momentum = work.momentum.current();
      places.next_momentum = work.momentum.other();
    }
    return places;
  }
};

}  // namespace detail
}  // namespace weir::inline v1
