#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/kernels/search_program.cuh"
#include "weir/cuda/kernels/sparsify_memory.cuh"
#include "weir/exec/shared_rank_search.hpp"

namespace weir::inline v1 {
namespace detail {

/// What a block does of a pass that counts for a search that ranks share.
template <class Work>
class SharedCount {
  using Real = typename Work::Real;
  using Search = SharedRankSearch<Real>;

 public:
  /// Shared memory of a block.
  struct Memory {
    std::uint32_t counters[Search::counters];
  };

  WEIR_HOST_DEVICE SharedCount(Work const& work, Memory& memory, unsigned index, unsigned blocks)
      : work_(work), memory_(memory), index_(index), blocks_(blocks) {}

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block) const {
    if (!takes_part(work_.constants.non_finite, *work_.tail)) return;
    if (work_.shared_rank->is_done()) return;
    Search const search = *work_.shared_rank;
    Real const* const accumulator = StepPlaces<Real>::of(work_).accumulator;
    block.each([&](unsigned thread) {
      for (std::size_t i = thread; i < Search::counters; i += search_threads) memory_.counters[i] = 0;
    });
    for_each_value(block, accumulator, work_.layout.size, index_, blocks_, [&](Real value) {
      std::size_t const counter = search.counter_of(value);
      if (counter < Search::counters) add_together(&memory_.counters[counter], 1u);
    });
    block.each([&](unsigned thread) {
      for (std::size_t i = thread; i < Search::counters; i += search_threads) {
        std::uint32_t const count = memory_.counters[i];
        if (count != 0) add_together(work_.shared_counters + i, std::uint64_t{count});
      }
    });
  }

 private:
  Work const& work_;
  Memory& memory_;
  unsigned index_;
  unsigned blocks_;
};

}  // namespace detail
}  // namespace weir::inline v1
