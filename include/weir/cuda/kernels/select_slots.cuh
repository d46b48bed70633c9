#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/sparsify_layout.hpp"
#include "weir/exec/magnitude_key.hpp"
#include "weir/exec/search_task.hpp"

namespace weir::inline v1 {
namespace detail {

/// Elements of a unit that may be selected: all of them.
template <class Real>
struct AllOfUnit {
  Real const* values;  // of the bucket
  SparsifyLayout const& layout;

  WEIR_HOST_DEVICE std::size_t size(std::size_t unit) const {
    std::size_t const rest = layout.size - unit * layout.unit;
    return rest < layout.unit ? rest : layout.unit;
  }
  WEIR_HOST_DEVICE std::size_t slot(std::size_t unit, std::size_t i) const { return unit * layout.unit + i; }
  WEIR_HOST_DEVICE Real value(std::size_t unit, std::size_t i) const { return values[slot(unit, i)]; }
};

/// The same: its candidates.
template <class Real>
struct CandidatesOfUnit {
  Real const* values;
  std::uint32_t const* offsets;
  std::uint64_t const* found;
  SparsifyLayout const& layout;

  WEIR_HOST_DEVICE std::size_t size(std::size_t unit) const { return static_cast<std::size_t>(found[unit]); }
  WEIR_HOST_DEVICE std::size_t slot(std::size_t unit, std::size_t i) const {
    return unit * layout.unit + offsets[unit * layout.unit_room() + i];
  }
  WEIR_HOST_DEVICE Real value(std::size_t unit, std::size_t i) const {
    return values[unit * layout.unit_room() + i];
  }
};

/// How many elements of a unit a cut may take, of each kind.
struct UnitCounts {
  std::uint32_t above;
  std::uint32_t equal;
  std::uint32_t non_finite;

  WEIR_HOST_DEVICE void merge(UnitCounts const& right) {
    above += right.above;
    equal += right.equal;
    non_finite += right.non_finite;
  }
};

/// The same of all units before one.
struct UnitPlace {
  std::uint64_t above = 0;
  std::uint64_t equal = 0;
  std::uint64_t non_finite = 0;

  WEIR_HOST_DEVICE void add(UnitCounts const& counts) {
    above += counts.above;
    equal += counts.equal;
    non_finite += counts.non_finite;
  }
  WEIR_HOST_DEVICE void add(UnitPlace const& other) {
    above += other.above;
    equal += other.equal;
    non_finite += other.non_finite;
  }
};
static_assert(sizeof(UnitCounts) <= SparsifyLayout::count_bytes &&
              sizeof(UnitPlace) <= SparsifyLayout::place_bytes);

/// What a cut makes of an element: bit 0 above, bit 1 equal, bit 2 not finite.
template <class Real>
WEIR_HOST_DEVICE inline unsigned kind_of(Real value, SlotCut<Real> const& cut) {
  using Key = MagnitudeKey<Real>;
  auto const key = Key::of(value);
  auto const threshold = Key::of(cut.threshold);
  if (key >= Key::infinity) return 4;
  return key > threshold ? 1 : key == threshold ? 2 : 0;
}

template <class Warp, class Source, class Real>
WEIR_HOST_DEVICE inline void count_unit(Warp const& warp, Source const& source, std::size_t unit,
                                        SlotCut<Real> const& cut, UnitCounts* counts) {
  typename Warp::template Value<UnitCounts> mine;
  std::size_t const size = source.size(unit);
  warp.each([&](unsigned thread) {
    UnitCounts sum{};
    for (std::size_t i = thread; i < size; i += warp_threads) {
      unsigned const kind = kind_of(source.value(unit, i), cut);
      sum.merge({kind & 1u, kind >> 1 & 1u, kind >> 2});
    }
    warp.of(mine, thread) = sum;
  });
  fold_threads(warp, mine, 1);
  warp.first([&] { counts[unit] = warp.of(mine, 0); });
}

/// Calls `emit(place, slot, value)` for what the cut takes of a unit.
template <class Warp, class Source, class Real, class Emit>
WEIR_HOST_DEVICE inline void write_unit(Warp const& warp, Source const& source, std::size_t unit,
                                        SlotCut<Real> const& cut, UnitPlace place, Emit const& emit) {
  std::size_t const size = source.size(unit);
  for (std::size_t at = 0; at < size; at += warp_threads) {
    typename Warp::template Value<Real> values;
    typename Warp::template Value<unsigned> kinds;
    warp.each([&](unsigned thread) {
      bool const is_there = at + thread < size;
      Real const value = is_there ? source.value(unit, at + thread) : Real{0};
      warp.of(values, thread) = value;
      warp.of(kinds, thread) = is_there ? kind_of(value, cut) : 0u;
    });
    unsigned const above = warp.ballot(kinds, 0);
    unsigned const equal = warp.ballot(kinds, 1);
    unsigned const non_finite = warp.ballot(kinds, 2);
    if ((above | equal | non_finite) == 0) continue;
    warp.each([&](unsigned thread) {
      unsigned const before = threads_before(thread);
      std::uint64_t const ties = place.equal + ones(equal & before);
      std::uint64_t const others = place.non_finite + ones(non_finite & before);
      unsigned const kind = warp.of(kinds, thread);
      bool const is_taken =
          kind == 1 || (kind == 2 && ties < cut.ties) || (kind == 4 && others < cut.non_finite);
      if (!is_taken) return;
      std::uint64_t const first = place.above + ones(above & before) + (ties < cut.ties ? ties : cut.ties) +
                                  (others < cut.non_finite ? others : cut.non_finite);
      emit(first, source.slot(unit, at + thread), warp.of(values, thread));
    });
    place.add(UnitCounts{ones(above), ones(equal), ones(non_finite)});
  }
}

/// Where each unit's begin, and in `total` how many there are in all.
template <class Block>
WEIR_HOST_DEVICE inline void place_units(Block const& block, UnitCounts const* counts, UnitPlace* places,
                                         std::size_t units, UnitPlace (&sums)[search_threads],
                                         UnitPlace& total) {
  std::size_t const share = (units + search_threads - 1) / search_threads;
  auto const behind = [&](unsigned thread) {
    std::size_t const end = (thread + 1) * share;
    return end < units ? end : units;
  };
  block.each([&](unsigned thread) {
    UnitPlace sum;
    for (std::size_t i = thread * share; i < behind(thread); ++i) sum.add(counts[i]);
    sums[thread] = sum;
  });
  block.each([&](unsigned thread) {
    UnitPlace place;
    for (unsigned other = 0; other < thread; ++other) place.add(sums[other]);
    for (std::size_t i = thread * share; i < behind(thread); ++i) {
      places[i] = place;
      place.add(counts[i]);
    }
    if (thread == search_threads - 1) total = place;
  });
}

}  // namespace detail
}  // namespace weir::inline v1
