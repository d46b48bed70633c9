#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/non_finite_policy.hpp"
#include "weir/exec/shared_rank_search.hpp"
#include "weir/exec/tail_statistics.hpp"
#include "weir/exec/threshold_policy.hpp"
#include "weir/exec/threshold_state.hpp"

// The steps of a search for a rank that ranks share, where the executor's kernels run.

namespace weir::inline v1 {

/// Starts it for a bucket of `size` elements on each rank.
template <RankedThreshold Policy, class Real>
struct StartSharedRank {
  Policy policy;
  ThresholdState const* state;
  std::uint64_t size;
  NonFinitePolicy non_finite;
  SharedTail const* all;
  TailStatistics const* own;
  SharedRankSearch<Real>* search;

  WEIR_HOST_DEVICE void operator()() const {
    std::uint64_t const wanted = all->ranks * slots_of(state->density, size);
    std::uint64_t const bad = all->tail.non_finite;  // is sent, too
    std::uint64_t const k = wanted > bad ? wanted - bad : 0;
    search->start(k, policy.tolerance(k), Policy::is_exact, all->tail,
                  takes_part(non_finite, *own) ? *own : TailStatistics{});
  }
};

/// Takes the counters of a round.
template <class Real>
struct ResumeSharedRank {
  std::uint64_t const* sums;  // of all ranks
  std::uint64_t const* own;
  SharedRankSearch<Real>* search;

  WEIR_HOST_DEVICE void operator()() const { search->resume(sums, own); }
};

/// Divides what is equal to the threshold among the ranks.
template <class Real>
struct DivideTies {
  std::uint64_t const* ties;  // by rank
  std::size_t rank;
  SharedRankSearch<Real>* search;

  WEIR_HOST_DEVICE void operator()() const { search->divide(ties, rank); }
};

}  // namespace weir::inline v1
