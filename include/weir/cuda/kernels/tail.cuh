#pragma once

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/measure.cuh"
#include "weir/exec/tail_lane.hpp"

namespace weir::inline v1 {
namespace detail {

/// A lane of the sum of squares and of the tail statistics.
template <class Real>
struct SquareTailLane {
  using Node = SquareTailNode;
  // A node has 72 bytes, and a thread has 4 in the end.
  static constexpr unsigned most_blocks = most_leaf_blocks / 4;
  static constexpr int blocks_together = 4;  // with 255 registers for a thread

  SquareLane squares;
  TailLane<Real> tail;

  WEIR_HOST_DEVICE void add(Real value) {
    squares.add(value);
    tail.add(value);
  }
  WEIR_HOST_DEVICE SquareTailNode node() const { return {squares.node(), tail.node()}; }
};

/// What is asked for, the tail at least.
struct StoreTail {
  TailStatistics* tail;
  Measurement* measurement;

  WEIR_HOST_DEVICE void operator()(SquareTailNode const& root) const {
    *tail = root.tail.statistics();
    if (measurement != nullptr) *measurement = root.squares.measurement();
  }
};

/// How many lanes of that kind a thread has registers for.
template <int Width>
inline constexpr int tail_width = Width > 4 ? 4 : Width;

}  // namespace detail
}  // namespace weir::inline v1
