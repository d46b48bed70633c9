#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/leaf.cuh"
#include "weir/cuda/kernels/measure.cuh"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/sparsify_layout.hpp"
#include "weir/exec/excess_lane.hpp"
#include "weir/exec/tail_lane.hpp"

namespace weir::inline v1 {
namespace detail {

/// A lane of the tail statistics.
template <class Real>
struct DeviceTailLane {
  using Node = TailNode;
  TailLane<Real> lane;
  WEIR_HOST_DEVICE void add(Real value) { lane.add(value); }
  WEIR_HOST_DEVICE Node node() const { return lane.node(); }
};

/// An element on its way to the statistics of excesses.
template <class Real>
struct OverBase {
  Real value;
  double base;
  double scale;
};

template <class Real>
struct DeviceExcessLane {
  using Node = TailNode;
  ExcessLane<Real> lane;
  WEIR_HOST_DEVICE void add(OverBase<Real> const& element) {
    lane.add(element.value, element.base, element.scale);
  }
  WEIR_HOST_DEVICE Node node() const { return lane.node(); }
};

/// Reads elements, half as many at a time as a pass that does nothing else.
template <class Real>
struct ReadForSums : DeviceRead<Real> {
  static constexpr int loads = 2;
};

/// The same for excesses.
template <class Real>
struct ReadOverBase {
  static constexpr int loads = 2;
  Real const* in;
  double base;
  double scale;

  template <int Width, int Rows, class Sink>
  WEIR_HOST_DEVICE void run(std::size_t first, std::size_t stride, Sink&& sink) const {
    Pack<Real, Width> packs[Rows];
    unroll<Rows>([&](int row) { load_once(in + first + row * stride, packs[row]); });
    unroll<Rows>([&](int row) {
      OverBase<Real> values[Width];
      unroll<Width>([&](int i) { values[i] = {packs[row].elements[i], base, scale}; });
      sink(row, values);
    });
  }
};

/// Folds of the warps of a block, as bytes: a constructor would have to run in each thread.
struct WarpFolds {
  alignas(16) unsigned char bytes[search_warps][sizeof(PairwiseFold<TailNode>)];
};

/// What a block does of a pass that sums up: every so many-th subtree of each warp, whose node goes to
/// `nodes`.
template <int Width, class Lane, class Block, class Operation>
WEIR_HOST_DEVICE inline void run_subtrees(Block const& block, Operation const& operation,
                                          SparsifyLayout const& layout, WarpFolds& folds, TailNode* nodes,
                                          unsigned index, unsigned blocks) {
  LeafGrid const grid{layout.size, leaves_of(layout.size), layout.subtree, blocks};
  block.warps([&](typename Block::Warp const& warp, unsigned number) {
    auto& fold = reinterpret_cast<PairwiseFold<TailNode>&>(folds.bytes[number]);
    std::size_t const step = std::size_t{blocks} * search_warps;
    for (std::size_t i = std::size_t{index} * search_warps + number; i < layout.subtrees; i += step) {
      warp.first([&] { fold.clear(); });
      fold_subtree<Width, Lane>(warp, operation, grid, i * layout.subtree, fold);
      warp.first([&] { nodes[i] = fold.total(TailNode{}); });
    }
  });
}

/// Folds nodes pairwise, in their order, into the first.
template <class Block>
WEIR_HOST_DEVICE inline void fold_nodes(Block const& block, TailNode* nodes, std::size_t count) {
  for (std::size_t stride = 1; stride < count; stride *= 4) {
    block.each([&](unsigned thread) {
      std::size_t const left = (count + stride - 1) / stride;
      for (std::size_t i = thread; 4 * i < left; i += search_threads) {
        TailNode* const mine = nodes + 4 * i * stride;
        std::size_t const here = left - 4 * i;
        mine[0] = fold_loaded<4, TailNode>([&](unsigned node) { return mine[node * stride]; }, 0,
                                           here < 4 ? static_cast<unsigned>(here) : 4u);
      }
    });
  }
}

}  // namespace detail
}  // namespace weir::inline v1
