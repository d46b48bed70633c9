#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/exec/non_finite_policy.hpp"
#include "weir/exec/tail_lane.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

/// Makes one of the tail statistics of the buckets of several ranks, in their order, without those that take
/// no part.
struct MergeTails {
  TailStatistics const* tails;
  std::size_t count;
  NonFinitePolicy non_finite;
  SharedTail* out;

  WEIR_HOST_DEVICE void operator()() const {
    detail::TailNode all = {};
    std::uint64_t ranks = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!takes_part(non_finite, tails[i])) continue;
      all.merge(node(tails[i]));
      ++ranks;
    }
    *out = {all.statistics(), ranks};
  }

 private:
  WEIR_HOST_DEVICE static detail::TailNode node(TailStatistics const& tail) {
    return {tail.non_finite, tail.participants,       tail.smallest,         tail.largest,
            tail.sum,        tail.squared_deviations, tail.sum_of_logarithms};
  }
};

}  // namespace weir::inline v1
