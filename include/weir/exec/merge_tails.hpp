#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/exec/tail_lane.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

/// Makes one of the tail statistics of several vectors, in their order.
struct MergeTails {
  TailStatistics const* tails;
  std::size_t count;  // at least one
  TailStatistics* out;

  WEIR_HOST_DEVICE void operator()() const {
    detail::TailNode all = node(tails[0]);
    for (std::size_t i = 1; i < count; ++i) all.merge(node(tails[i]));
    *out = all.statistics();
  }

 private:
  WEIR_HOST_DEVICE static detail::TailNode node(TailStatistics const& tail) {
    return {tail.non_finite, tail.participants,       tail.smallest,         tail.largest,
            tail.sum,        tail.squared_deviations, tail.sum_of_logarithms};
  }
};

}  // namespace weir::inline v1
