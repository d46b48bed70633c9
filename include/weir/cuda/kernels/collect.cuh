#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/kernels/tuning.cuh"
#include "weir/cuda/kernels/unroll.cuh"
#include "weir/exec/magnitude_key.hpp"

namespace weir::inline v1 {
namespace detail {

/// What a pass that takes no sums counts, and how far the magnitudes of participants reach.
template <class Real>
struct Census {
  using Key = MagnitudeKey<Real>;
  using Bits = typename Key::Bits;

  std::uint32_t non_finite = 0;
  std::uint32_t participants = 0;
  Bits smallest = Key::infinity;
  Bits largest = 0;

  WEIR_HOST_DEVICE void add(Bits key) {
    bool const is_finite = key < Key::infinity;
    bool const takes_part = is_finite && key != 0;
    non_finite += is_finite ? 0 : 1;
    participants += takes_part ? 1 : 0;
    smallest = takes_part && key < smallest ? key : smallest;
    largest = takes_part && key > largest ? key : largest;
  }

  WEIR_HOST_DEVICE void merge(Census const& right) {
    non_finite += right.non_finite;
    participants += right.participants;
    smallest = right.smallest < smallest ? right.smallest : smallest;
    largest = right.largest > largest ? right.largest : largest;
  }
};

/// Room for the candidates of a unit, in the order of their slots, which are counted from the unit's begin.
template <class Real>
struct CandidateRoom {
  Real* values;
  std::uint32_t* offsets;
  std::size_t room;
};

/// Collects what a thread has of a few rows.
template <class Real, int Rows, int Width>
struct HeldRows {
  Real values[Rows][Width];

  struct Sink {
    HeldRows& held;
    WEIR_HOST_DEVICE void operator()(int row, Real const (&values)[Width]) const {
      unroll<Width>([&](int i) { held.values[row][i] = values[i]; });
    }
  };
};

/// Writes the values of a row whose bits are set, of those there is room for, after the `count` before.
template <int Width, class Warp, class Values, class Flags, class Real>
WEIR_HOST_DEVICE inline void append_row(Warp const& warp, Values const& value, Flags const& flags, int first,
                                        std::uint32_t offset, CandidateRoom<Real> const& room,
                                        std::uint32_t& count) {
  unsigned masks[Width];
  unsigned all = 0;
  unsigned together = 0;
  unroll<Width>([&](int i) {
    masks[i] = warp.ballot(flags, first + i);
    all |= masks[i];
    together += ones(masks[i]);
  });
  if (all == 0) return;
  warp.each([&](unsigned thread) {
    std::size_t place = count;
    unroll<Width>([&](int i) { place += ones(masks[i] & threads_before(thread)); });
    unroll<Width>([&](int i) {
      if ((masks[i] >> thread & 1u) == 0) return;
      if (place < room.room) {
        room.values[place] = value(thread, i);
        room.offsets[place] = offset + thread * Width + static_cast<unsigned>(i);
      }
      ++place;
    });
  });
  count += together;
}

/// Runs an operation on the elements from `begin` to `end`, keeps those with keys above `guard`, and counts
/// all in `census`. Returns how many there are above, also beyond the room.
template <int Width, class Warp, class Operation, class Real, class Counts>
WEIR_HOST_DEVICE inline std::uint32_t collect_unit(Warp const& warp, Operation const& operation,
                                                   std::size_t begin, std::size_t end,
                                                   typename MagnitudeKey<Real>::Bits guard,
                                                   CandidateRoom<Real> const& room, Counts& census) {
  using Key = MagnitudeKey<Real>;
  constexpr std::size_t row_elements = std::size_t{warp_threads} * Width;
  constexpr int most_rows = 16 / Width;
  constexpr int rows = rows_together(tuning_here().loads_in_flight, Operation::loads, most_rows);
  std::uint32_t count = 0;
  std::size_t at = begin;
  for (; end - at >= rows * row_elements; at += rows * row_elements) {
    typename Warp::template Value<HeldRows<Real, rows, Width>> held;
    typename Warp::template Value<unsigned> flags;
    warp.each([&](unsigned thread) {
      auto& mine = warp.of(held, thread);
      using Sink = typename HeldRows<Real, rows, Width>::Sink;
      operation.template run<Width, rows>(at + thread * Width, row_elements, Sink{mine});
      unsigned above = 0;
      unroll<rows>([&](int row) {
        unroll<Width>([&](int i) {
          auto const key = Key::of(mine.values[row][i]);
          warp.of(census, thread).add(key);
          above |= key > guard ? 1u << (row * Width + i) : 0u;
        });
      });
      warp.of(flags, thread) = above;
    });
    unroll<rows>([&](int row) {
      append_row<Width>(
          warp, [&](unsigned thread, int i) { return warp.of(held, thread).values[row][i]; }, flags,
          row * Width, static_cast<std::uint32_t>(at - begin + row * row_elements), room, count);
    });
  }
  for (; at < end; at += warp_threads) {
    typename Warp::template Value<HeldRows<Real, 1, 1>> held;
    typename Warp::template Value<unsigned> flags;
    warp.each([&](unsigned thread) {
      auto& mine = warp.of(held, thread);
      mine.values[0][0] = 0;
      unsigned above = 0;
      if (at + thread < end) {
        using Sink = typename HeldRows<Real, 1, 1>::Sink;
        operation.template run<1, 1>(at + thread, 1, Sink{mine});
        auto const key = Key::of(mine.values[0][0]);
        warp.of(census, thread).add(key);
        above = key > guard ? 1u : 0u;
      }
      warp.of(flags, thread) = above;
    });
    append_row<1>(
        warp, [&](unsigned thread, int) { return warp.of(held, thread).values[0][0]; }, flags, 0,
        static_cast<std::uint32_t>(at - begin), room, count);
  }
  return count;
}

}  // namespace detail
}  // namespace weir::inline v1
