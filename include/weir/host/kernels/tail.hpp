#pragma once

#include <cstddef>

#include "weir/exec/tail_lane.hpp"
#include "weir/host/kernels/measure.hpp"

namespace weir::inline v1 {
namespace detail {

/// The sum of squares of a leaf and its tail statistics, the latter one element after another: they cost some
/// 30 operations each.
struct SquareTailLeaf {
  using Node = SquareTailNode;

  template <int VectorBytes, class Real>
  [[gnu::always_inline]] static SquareTailNode sum(Real const* leaf, std::size_t size) {
    return {SquareLeaf::sum<VectorBytes>(leaf, size), tail(leaf, size)};
  }

  template <class Real>
  static TailNode tail(Real const* leaf, std::size_t size) {
    TailLane<Real> lanes[leaf_lanes];
    for (std::size_t i = 0; i < size; ++i) lanes[i % leaf_lanes].add(leaf[i]);
    TailNode nodes[leaf_lanes];
    for (std::size_t lane = 0; lane < leaf_lanes; ++lane) nodes[lane] = lanes[lane].node();
    for (std::size_t half = leaf_lanes / 2; half != 0; half /= 2) {
      for (std::size_t i = 0; i < half; ++i) nodes[i].merge(nodes[i + half]);
    }
    return nodes[0];
  }
};

}  // namespace detail
}  // namespace weir::inline v1
