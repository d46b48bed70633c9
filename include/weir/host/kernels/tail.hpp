#pragma once

#include <cstddef>

#include "weir/exec/tail_lane.hpp"
#include "weir/host/kernels/measure.hpp"
#include "weir/host/kernels/tail_lanes.hpp"

namespace weir::inline v1 {
namespace detail {

/// The sum of squares of a leaf and its tail statistics.
struct SquareTailLeaf {
  using Node = SquareTailNode;

  template <int VectorBytes, class Real>
  [[gnu::always_inline]] static SquareTailNode sum(Real const* leaf, std::size_t size) {
    return {SquareLeaf::sum<VectorBytes>(leaf, size),
            TailLanes<VectorBytes, true, true, false>::node(leaf, size)};
  }
};

}  // namespace detail
}  // namespace weir::inline v1
