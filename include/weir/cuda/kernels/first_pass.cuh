#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/square_root.hpp"
#include "weir/cuda/kernels/accumulate.cuh"
#include "weir/cuda/kernels/collect.cuh"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/kernels/sparsify_memory.cuh"
#include "weir/cuda/kernels/tree_pass.cuh"
#include "weir/exec/threshold_search.hpp"

namespace weir::inline v1 {
namespace detail {

/// Buckets from this size on are worth a guess of what will be selected.
inline constexpr std::size_t least_guarded = std::size_t{1} << 18;

/// Shared memory of the block that prepares a sparsification.
template <class Real>
struct PrepareMemory {
  typename MagnitudeKey<Real>::Bits largest;
  FirstPassMode mode;
  std::uint64_t rank;  // of the guard in the sample; 0: there is none
  std::uint64_t number;
  FoundBin found;
  std::uint64_t sums[search_threads];
  std::uint32_t counters[SparsifyLayout::bins];
};

template <class Element, class Real, class Index>
WEIR_HOST_DEVICE inline DeviceAccumulate<Element, Real> accumulation_of(
    DeviceWork<Real, Index> const& work, DeviceTerms<Element, Real> const& terms) {
  StepPlaces<Real> const places = StepPlaces<Real>::of(work);
  return {terms,
          AccumulateRule<Real>(work.constants, work.scale.factor()),
          places.residual,
          places.momentum,
          places.next_momentum,
          work.is_given ? nullptr : places.accumulator};
}

/// What a block does before the first pass: it clears what blocks count in, decides what the pass has to do,
/// and guesses a guard: from a sample, of which the result is independent.
template <class Element, class Real, class Index>
class Preparation {
  using Work = DeviceWork<Real, Index>;
  using Key = typename Work::Key;
  using Bits = typename Work::Bits;
  using Memory = PrepareMemory<Real>;

  // A block alone has little time: neighbours share what is fetched, and a thread waits for all of it at
  // once.
  static constexpr std::size_t neighbours = 4;
  static constexpr std::size_t places = 2048;
  static constexpr std::size_t places_of_thread = places / search_threads;
  static constexpr std::size_t samples = places * neighbours;
  static_assert(least_guarded >= 4 * sizeof(Bits) / sizeof(Real) * samples);

 public:
  WEIR_HOST_DEVICE Preparation(Work const& work, DeviceTerms<Element, Real> const& terms, Memory& memory)
      : work_(work), terms_(terms), memory_(memory) {}

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block) const {
    SparsifyHeader<Real>& header = work_.header();
    block.each([&](unsigned thread) {
      auto* const words = reinterpret_cast<std::uint32_t*>(work_.scratch);
      std::size_t const count = work_.layout.nodes() / sizeof(std::uint32_t);
      for (std::size_t i = thread; i < count; i += search_threads) words[i] = 0;
      for (std::size_t i = thread; i < SparsifyLayout::bins; i += search_threads) memory_.counters[i] = 0;
    });
    block.once([&] {
      header.smallest = Key::infinity;
      header.guard = static_cast<Bits>(~Bits{0});
      memory_.largest = 0;
      memory_.rank = 0;
      decide(header);
    });
    if (memory_.rank != 0) guess(block, header);
    block.once([&] { header.mode = memory_.mode; });
  }

 private:
  struct NoPolicy {};

  WEIR_HOST_DEVICE void decide(SparsifyHeader<Real>& header) const {
    ThresholdState const& state = *work_.state;
    std::size_t const size = work_.layout.size;
    if (work_.part == SparsifyPart::select) {
      memory_.mode = FirstPassMode::given;
    } else if (work_.scale.skip()) {
      memory_.mode = FirstPassMode::skipped;
      if (work_.tail != nullptr) *work_.tail = TailStatistics::of_skipped();
    } else if (work_.tail != nullptr) {
      memory_.mode = FirstPassMode::moments;
    } else if (work_.need == FirstPassNeed::census) {
      memory_.mode = FirstPassMode::census;
    } else if (state.can_reuse(size, work_.constants.reuse)) {
      Bits const guard = Key::of(ThresholdSearch<NoPolicy, Real>::rounded(state.reused_threshold));
      memory_.mode = FirstPassMode::candidates;
      header.guard = guard < Key::infinity ? guard : static_cast<Bits>(Key::infinity - 1);
    } else if (work_.need == FirstPassNeed::moments) {
      memory_.mode = FirstPassMode::moments;
    } else {
      memory_.mode = FirstPassMode::census;
      if (size < least_guarded) return;
      double const wanted = static_cast<double>(slots_of(state.density, size));
      double const expected = static_cast<double>(samples) * wanted / static_cast<double>(size);
      double const rank = expected + 5.0 * v1::square_root(expected) + 8.0;
      if (rank < static_cast<double>(samples)) memory_.rank = static_cast<std::uint64_t>(rank);
      SelectionKey const key = work_.key(state);
      memory_.number = key.step * 0x9e37'79b9'7f4a'7c15u ^ key.bucket;
    }
  }

  /// A key such that probably more than k elements are above it, but not many more, and no bin of the first
  /// level is above it in part only.
  template <class Block>
  WEIR_HOST_DEVICE void guess(Block const& block, SparsifyHeader<Real>& header) const {
    auto* const keys = reinterpret_cast<Bits*>(work_.candidate_values());
    auto const operation = accumulation_of(work_, terms_);
    std::size_t const length = work_.layout.size / places;
    block.each([&](unsigned thread) {
      std::size_t first[places_of_thread];
      unroll<places_of_thread>([&](int turn) {
        std::size_t const i = static_cast<unsigned>(turn) * search_threads + thread;
        std::uint64_t hash = (memory_.number + i + 1) * 0x9e37'79b9'7f4a'7c15u;  // a step of splitmix64
        hash = (hash ^ (hash >> 30)) * 0xbf58'476d'1ce4'e5b9u;
        first[turn] = i * length + static_cast<std::size_t>((hash >> 32) % (length - neighbours));
      });
      constexpr int near = static_cast<int>(neighbours);
      Bits largest = 0;
      operation.template preview<static_cast<int>(samples / search_threads)>(
          [&](int i) { return first[i / near] + static_cast<unsigned>(i % near); },
          [&](int i, Real value) {
            Bits const key = Key::of(value);
            keys[static_cast<unsigned>(i) * search_threads + thread] = key;
            if (Key::takes_part(key) && key > largest) largest = key;
          });
      raise_together(&memory_.largest, largest);
    });
    auto const window = BinWindow<Bits>::below(memory_.largest, 1, Key::shift(0));
    block.each([&](unsigned thread) {
      for (std::size_t i = thread; i < samples; i += search_threads) {
        if (Key::takes_part(keys[i]) && window.has(keys[i])) {
          add_together(&memory_.counters[window.bin(keys[i])], 1u);
        }
      }
    });
    find_bin(block, memory_.counters, memory_.rank, memory_.sums, memory_.found);
    block.once([&] {
      Bits const low = window.key_of(static_cast<std::size_t>(memory_.found.bin));
      if (memory_.found.inside == 0 || low == 0) return;
      memory_.mode = FirstPassMode::candidates;
      header.guard = low - 1;
    });
  }

  Work const& work_;
  DeviceTerms<Element, Real> const& terms_;
  Memory& memory_;
};

/// Runs an operation on a block's share of the units, keeps candidates, and adds to the header what is
/// counted.
template <int Width, class Block, class Operation, class Real, class Index>
WEIR_HOST_DEVICE inline void collect_units(Block const& block, Operation const& operation,
                                           DeviceWork<Real, Index> const& work,
                                           typename MagnitudeKey<Real>::Bits guard, bool counts,
                                           unsigned index, unsigned blocks) {
  SparsifyHeader<Real>& header = work.header();
  block.warps([&](typename Block::Warp const& warp, unsigned number) {
    typename Block::Warp::template Value<Census<Real>> census{};
    std::size_t const step = std::size_t{blocks} * search_warps;
    for (std::size_t unit = std::size_t{index} * search_warps + number; unit < work.layout.units;
         unit += step) {
      CandidateRoom<Real> const room = work.room_of(unit);
      std::uint32_t const found = collect_unit<Width>(warp, operation, unit * work.layout.unit,
                                                      work.end_of(unit), guard, room, census);
      warp.first([&] {
        work.found()[unit] = found;
        if (found > room.room) set_together(&header.overflows, 1u);
      });
    }
    if (!counts) return;
    fold_threads(warp, census, 1);
    warp.first([&] {
      Census<Real> const& all = warp.of(census, 0);
      if (all.non_finite != 0) add_together(&header.non_finite, std::uint64_t{all.non_finite});
      if (all.participants == 0) return;
      add_together(&header.participants, std::uint64_t{all.participants});
      lower_together(&header.smallest, all.smallest);
      raise_together(&header.largest, all.largest);
    });
  });
}

/// What a block does of the first pass.
template <int Width, bool Moments, class Block, class Element, class Real, class Index>
WEIR_HOST_DEVICE inline void run_first_pass(Block const& block, DeviceWork<Real, Index> const& work,
                                            DeviceTerms<Element, Real> const& terms, WarpFolds* folds,
                                            unsigned index, unsigned blocks) {
  SparsifyHeader<Real> const& header = work.header();
  FirstPassMode const mode = header.mode;
  if (mode == FirstPassMode::skipped) return;
  auto const operation = accumulation_of(work, terms);
  if constexpr (Moments) {
    if (mode == FirstPassMode::moments) {
      // Two lanes are what a thread has registers for, and of doubles few that are read ahead.
      constexpr int width = Width == 1 || sizeof(Real) == 8 ? 1 : 2;
      run_subtrees<width, DeviceTailLane<Real>>(block, operation, work.layout, *folds, work.nodes(), index,
                                                blocks);
      return;
    }
  }
  collect_units<Width>(block, operation, work, header.guard, true, index, blocks);
}

/// What the last block does behind it.
template <class Block, class Real, class Index>
WEIR_HOST_DEVICE inline void end_first_pass(Block const& block, DeviceWork<Real, Index> const& work) {
  SparsifyHeader<Real>& header = work.header();
  if (header.mode != FirstPassMode::moments) return;
  fold_nodes(block, work.nodes(), work.layout.subtrees);
  block.once([&] {
    header.tail = work.layout.subtrees == 0 ? TailStatistics{} : work.nodes()[0].statistics();
    if (work.tail != nullptr) *work.tail = header.tail;
  });
}

}  // namespace detail
}  // namespace weir::inline v1
