#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/cuda/kernels/first_pass.cuh"
#include "weir/cuda/kernels/measure.cuh"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/kernels/sparsify_memory.cuh"
#include "weir/cuda/kernels/tree_pass.cuh"
#include "weir/exec/sent_value.hpp"

namespace weir::inline v1 {
namespace detail {

/// f(value) for a block's share of a vector.
template <class Block, class Real, class Function>
WEIR_HOST_DEVICE inline void for_each_value(Block const& block, Real const* values, std::size_t size,
                                            unsigned index, unsigned blocks, Function const& f) {
  constexpr int together = 8;
  block.each([&](unsigned thread) {
    std::size_t const step = std::size_t{blocks} * search_threads;
    std::size_t i = std::size_t{index} * search_threads + thread;
    for (; i + (together - 1) * step < size; i += together * step) {
      Pack<Real, 1> packs[together];
      unroll<together>([&](int j) { load_once(values + i + j * step, packs[j]); });
      unroll<together>([&](int j) { f(packs[j].elements[0]); });
    }
    for (; i < size; i += step) f(values[i]);
  });
}

/// What a block does of the passes that a search asks for. A pass ends when all blocks have met.
template <class Work>
class SearchPasses {
  using Real = typename Work::Real;
  using Index = typename Work::Index;
  using Key = typename Work::Key;
  using Bits = typename Work::Bits;
  using Command = SearchCommand<Real>;

 public:
  /// Shared memory of a block.
  struct Memory {
    WarpFolds folds;
    std::uint32_t counters[SparsifyLayout::bins];  // 0 before and after
  };

  WEIR_HOST_DEVICE SearchPasses(Work const& work, StepPlaces<Real> const& places, SelectionKey const& key,
                                Memory& memory, unsigned index, unsigned blocks)
      : work_(work), places_(places), key_(key), memory_(memory), index_(index), blocks_(blocks) {}

  template <class Block>
  [[gnu::always_inline]] WEIR_HOST_DEVICE void run(Block const& block, Command const& command) const {
    SparsifyLayout const& layout = work_.layout;
    switch (command.phase) {
      case SearchPhase::excess:
        return run_subtrees<1, DeviceExcessLane<Real>>(
            block, ReadOverBase<Real>{places_.accumulator, command.base, command.scale}, layout,
            memory_.folds, work_.nodes(), index_, blocks_);
      case SearchPhase::moments:
        return run_subtrees<1, DeviceTailLane<Real>>(block, ReadForSums<Real>{{places_.accumulator}}, layout,
                                                     memory_.folds, work_.nodes(), index_, blocks_);
      case SearchPhase::count:
        return count(block, command);
      case SearchPhase::bins:
        return count_bins(block, command);
      case SearchPhase::collect:
        return collect_units<1>(block, DeviceRead<Real>{places_.accumulator}, work_, command.guard, false,
                                index_, blocks_);
      case SearchPhase::count_slots:
        return for_each_unit(block, [&](typename Block::Warp const& warp, std::size_t unit) {
          if (command.source == SearchSource::candidates) {
            count_unit(warp, work_.candidates(), unit, command.cut, work_.unit_counts());
          } else {
            count_unit(warp, all(), unit, command.cut, work_.unit_counts());
          }
        });
      case SearchPhase::write_slots:
        return for_each_unit(block, [&](typename Block::Warp const& warp, std::size_t unit) {
          auto const emit = [&](std::uint64_t place, std::size_t slot, Real value) {
            send(place, slot, value, true);
          };
          if (command.source == SearchSource::candidates) {
            write_unit(warp, work_.candidates(), unit, command.cut, work_.unit_places()[unit], emit);
          } else {
            write_unit(warp, all(), unit, command.cut, work_.unit_places()[unit], emit);
          }
        });
      case SearchPhase::clear_marks:
        return for_each(block, words_of_marks(), [&](std::size_t i) { marks()[i] = 0; });
      case SearchPhase::mark:
        return mark(block, command);
      case SearchPhase::count_marks:
        return for_each_unit(
            block, [&](typename Block::Warp const& warp, std::size_t unit) { count_marks(warp, unit); });
      case SearchPhase::write_marks:
        return for_each_unit(block, [&](typename Block::Warp const& warp, std::size_t unit) {
          write_marks(warp, unit, command);
        });
      case SearchPhase::clear_non_finite:
        return for_each(block, layout.size, [&](std::size_t i) {
          if (!work_.constants.keeps_non_finite) clear_non_finite(places_.kept, i);
          clear_non_finite(places_.next_momentum, i);
        });
      case SearchPhase::begin:
      case SearchPhase::end:
        return;
    }
  }

 private:
  /// f(i) for this block's share of 0 .. count-1.
  template <class Block, class Function>
  WEIR_HOST_DEVICE void for_each(Block const& block, std::size_t count, Function const& f) const {
    block.each([&](unsigned thread) {
      std::size_t const step = std::size_t{blocks_} * search_threads;
      for (std::size_t i = std::size_t{index_} * search_threads + thread; i < count; i += step) f(i);
    });
  }

  template <class Block, class Function>
  WEIR_HOST_DEVICE void for_each_unit(Block const& block, Function const& f) const {
    block.warps([&](typename Block::Warp const& warp, unsigned number) {
      std::size_t const step = std::size_t{blocks_} * search_warps;
      for (std::size_t i = std::size_t{index_} * search_warps + number; i < work_.layout.units; i += step)
        f(warp, i);
    });
  }

  WEIR_HOST_DEVICE AllOfUnit<Real> all() const { return {places_.accumulator, work_.layout}; }

  /// f(key) for this block's share of the source.
  template <class Block, class Function>
  WEIR_HOST_DEVICE void for_each_key(Block const& block, Command const& command, Function const& f) const {
    if (command.source == SearchSource::candidates) {
      auto const candidates = work_.candidates();
      return for_each_unit(block, [&](typename Block::Warp const& warp, std::size_t unit) {
        warp.each([&](unsigned thread) {
          std::size_t const size = candidates.size(unit);
          for (std::size_t i = thread; i < size; i += warp_threads) f(Key::of(candidates.value(unit, i)));
        });
      });
    }
    if (command.source == SearchSource::samples) {
      std::size_t const samples = static_cast<std::size_t>(command.samples);
      return for_each(block, samples, [&](std::size_t i) {
        f(Key::of(places_.accumulator[sampled_slot(key_, work_.layout.size, samples, i)]));
      });
    }
    for_each_value(block, places_.accumulator, work_.layout.size, index_, blocks_,
                   [&](Real value) { f(Key::of(value)); });
  }

  template <class Block>
  WEIR_HOST_DEVICE void count(Block const& block, Command const& command) const {
    Bits const threshold = Key::of(command.threshold);
    block.once([&] { memory_.counters[0] = 0; });
    for_each_key(block, command, [&](Bits key) {
      if (key > threshold && key < Key::infinity) add_together(&memory_.counters[0], 1u);
    });
    block.once([&] {
      add_together(&work_.header().counted, std::uint64_t{memory_.counters[0]});
      memory_.counters[0] = 0;
    });
  }

  template <class Block>
  WEIR_HOST_DEVICE void count_bins(Block const& block, Command const& command) const {
    auto const window = command.window;
    for_each_key(block, command, [&](Bits key) {
      if (key < Key::infinity && window.has(key)) add_together(&memory_.counters[window.bin(key)], 1u);
    });
    block.each([&](unsigned thread) {
      for (std::size_t i = thread; i < SparsifyLayout::bins; i += search_threads) {
        std::uint32_t const count = memory_.counters[i];
        if (count == 0) continue;
        add_together(work_.counters() + i, std::uint64_t{count});
        memory_.counters[i] = 0;
      }
    });
  }

  /// Writes a pair, takes what is sent out of what is kept, and masks the momentum.
  WEIR_HOST_DEVICE void send(std::uint64_t place, std::size_t slot, Real value, bool commits) const {
    SparsifyConstants const& constants = work_.constants;
    work_.indices[place] = static_cast<Index>(slot);
    if (!commits) {
      work_.values[place] = value;
      return;
    }
    Real const sent = sent_value(value, constants);
    work_.values[place] = sent;
    if (places_.kept != nullptr) {
      Real& kept = places_.kept[slot];
      kept = constants.feedback == FeedbackKind::differences ? kept + sent : kept_value(value, sent);
    }
    if (places_.next_momentum != nullptr && constants.masks_momentum) places_.next_momentum[slot] = 0;
  }

  // A bit for each slot that was drawn, where the candidates would lie.
  WEIR_HOST_DEVICE std::uint32_t* marks() const {
    return reinterpret_cast<std::uint32_t*>(work_.candidate_values());
  }
  WEIR_HOST_DEVICE std::size_t words_of_marks() const { return (work_.layout.size + 31) / 32; }

  template <class Block>
  WEIR_HOST_DEVICE void mark(Block const& block, Command const& command) const {
    SlotPermutation const slots(key_, work_.layout.size);
    for_each(block, static_cast<std::size_t>(command.drawn), [&](std::size_t i) {
      std::uint64_t const slot = slots(i);
      set_together(marks() + slot / 32, 1u << slot % 32);
    });
  }

  template <class Warp>
  WEIR_HOST_DEVICE void count_marks(Warp const& warp, std::size_t unit) const {
    warp.first([&] {
      UnitCounts counts{};
      std::size_t const end = (work_.end_of(unit) + 31) / 32;
      for (std::size_t i = unit * work_.layout.unit / 32; i < end; ++i) counts.above += ones(marks()[i]);
      work_.unit_counts()[unit] = counts;
    });
  }

  template <class Warp>
  WEIR_HOST_DEVICE void write_marks(Warp const& warp, std::size_t unit, Command const& command) const {
    std::uint64_t place = work_.unit_places()[unit].above;
    std::size_t const end = (work_.end_of(unit) + 31) / 32;
    for (std::size_t i = unit * work_.layout.unit / 32; i < end; ++i) {
      unsigned const bits = marks()[i];
      warp.each([&](unsigned thread) {
        if ((bits >> thread & 1u) == 0) return;
        std::size_t const slot = i * 32 + thread;
        Real const value = command.multiplier == 0
                               ? Real{0}
                               : rounded_product(places_.accumulator[slot], command.multiplier);
        send(place + ones(bits & threads_before(thread)), slot, value, command.commits != 0);
      });
      place += ones(bits);
    }
  }

  WEIR_HOST_DEVICE static void clear_non_finite(Real* values, std::size_t i) {
    if (values != nullptr && Key::of(values[i]) >= Key::infinity) values[i] = 0;
  }

  Work const& work_;
  StepPlaces<Real> const& places_;
  SelectionKey const& key_;
  Memory& memory_;
  unsigned index_;
  unsigned blocks_;
};

}  // namespace detail
}  // namespace weir::inline v1
