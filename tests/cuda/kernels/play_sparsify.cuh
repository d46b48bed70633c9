#pragma once

// The kernels of a sparsification played on the host.

#include <cstddef>
#include <memory>
#include <vector>

#include "cuda/kernels/play_kernels.cuh"
#include "weir/cuda/sparsify.cuh"

namespace play {

/// How many blocks each kernel has, whether packs are read, and how many phases a search may have.
struct SparsifyGrid {
  unsigned first_blocks = 3;
  unsigned search_blocks = 2;
  bool uses_packs = true;
};

/// Phases of a search, and those of them that go over all elements.
struct SparsifyPhases {
  int all = 0;
  int sweeps = 0;
};

template <class Element, class Real, class Index, class Policy>
SparsifyPhases sparsify(weir::SparsifyWork<Element, Real, weir::DeviceSpace, Index> const& work,
                        Policy const& policy, SparsifyGrid const& grid) {
  using namespace weir::detail;
  using Source = std::remove_const_t<Element>;
  check_sparsify<Policy>(work, SparsifyLayout::of(work.terms[0].values.size()).bytes(sizeof(Real)));
  constexpr FirstPassNeed need = first_pass_need<Policy>;
  SparsifyLaunch<Element, Real, Index> const launch(work, need);
  auto const& device = launch.device();
  auto const& terms = launch.terms();
  Block const block;
  if (work.part == weir::SparsifyPart::count) {
    using Count = SharedCount<DeviceWork<Real, Index>>;
    auto const memory = std::make_unique<typename Count::Memory>();
    for (unsigned index = grid.search_blocks; index-- > 0;)
      Count(device, *memory, index, grid.search_blocks).run(block);
    return {};
  }
  auto const prepare_memory = std::make_unique<PrepareMemory<Real>>();
  Preparation<Source, Real, Index>(device, terms, *prepare_memory).run(block);
  if (work.part != weir::SparsifyPart::select) {
    bool const has_moments = need == FirstPassNeed::moments || work.tail != nullptr;
    auto const folds = std::make_unique<WarpFolds>();
    bool const is_wide = grid.uses_packs && launch.is_aligned();
    for (unsigned index = grid.first_blocks; index-- > 0;) {
      if (is_wide && has_moments) {
        run_first_pass<full_width<Source>, true>(block, device, terms, folds.get(), index, grid.first_blocks);
      } else if (is_wide) {
        run_first_pass<full_width<Source>, false>(block, device, terms, nullptr, index, grid.first_blocks);
      } else if (has_moments) {
        run_first_pass<1, true>(block, device, terms, folds.get(), index, grid.first_blocks);
      } else {
        run_first_pass<1, false>(block, device, terms, nullptr, index, grid.first_blocks);
      }
    }
    if (has_moments) end_first_pass(block, device);
  }
  SparsifyPhases phases;
  if (work.part == weir::SparsifyPart::accumulate) return phases;

  using Work = DeviceWork<Real, Index>;
  using Passes = SearchPasses<Work>;
  using Leader = SearchLeader<Policy, Work>;
  auto const places = StepPlaces<Real>::of(device);
  weir::SelectionKey const key = device.key(*device.state);
  auto const memory = std::make_unique<typename Passes::Memory>();
  for (auto& counter : memory->counters) counter = 0;
  auto const leader_memory = std::make_unique<typename Leader::Memory>();
  Leader const leader(device, policy, *leader_memory);
  for (SearchPhase phase = SearchPhase::begin;;) {
    leader.decide(block, phase);
    SearchCommand<Real> const command = device.header().command;
    phase = command.phase;
    if (phase == SearchPhase::end) return phases;
    ++phases.all;
    bool const is_search = phase == SearchPhase::count || phase == SearchPhase::bins ||
                           phase == SearchPhase::count_slots || phase == SearchPhase::write_slots;
    bool const is_sum =
        phase == SearchPhase::excess || phase == SearchPhase::moments || phase == SearchPhase::collect;
    if (is_sum || (is_search && command.source == SearchSource::values)) ++phases.sweeps;
    for (unsigned index = grid.search_blocks; index-- > 0;) {
      Passes(device, places, key, *memory, index, grid.search_blocks).run(block, command);
    }
    if (command.is_last != 0) return phases;
  }
}

}  // namespace play
