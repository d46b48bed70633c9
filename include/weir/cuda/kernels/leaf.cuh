#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/tuning.cuh"
#include "weir/cuda/kernels/unroll.cuh"
#include "weir/exec/leaf_tree.hpp"

namespace weir::inline v1 {
namespace detail {

// Sums over a vector in the order of exec/leaf_tree.hpp. A warp takes a subtree of leaves, as many at once as
// it has groups of threads, and each thread of a group some of the 64 lanes of its leaf. What a warp does is
// written for `Warp`, which a test has on the host as well: `Warp::Value<T>` is a T of each of its 32
// threads.
//
// `Lane` collects elements, `add(number)`, and makes a node of them, `node()`. A node is part of a tree:
// `merge(right)`, where `Node{}` is empty and changes nothing.

inline constexpr unsigned warp_threads = 32;

/// How the lanes of a leaf are dealt out to the threads of a group. With packs of several elements a thread
/// has the lanes of one pack of each row; with single ones, for vectors that are not aligned, thread t has
/// the lanes t and t + 32.
template <int Width>
struct LeafShare {
  static constexpr unsigned lanes = Width > 1 ? Width : 2;    // of a thread
  static constexpr unsigned threads = leaf_lanes / lanes;     // of a group
  static constexpr unsigned leaves = warp_threads / threads;  // of a warp at once
  static constexpr unsigned stride = Width > 1 ? leaf_lanes : leaf_lanes / 2;
  static constexpr unsigned accesses = leaf_elements / stride;  // of a thread to its leaf
  static_assert(threads <= warp_threads);
};

/// Which leaves a warp takes.
struct LeafGrid {
  std::size_t size;  // in elements
  std::size_t leaves;
  std::size_t subtree;  // leaves of a warp, a power of two
  unsigned blocks;

  static LeafGrid of(std::size_t size, unsigned leaves_at_once, unsigned most_blocks) {
    std::size_t const leaves = leaves_of(size);
    std::size_t const block = subtree_leaves(leaves, std::size_t{leaf_warps} * leaves_at_once, most_blocks);
    std::size_t const blocks = (leaves + block - 1) / block;
    return {size, leaves, block / leaf_warps, blocks == 0 ? 1u : static_cast<unsigned>(blocks)};
  }
};

template <class Lane, int Count>
struct LaneSink {
  Lane (&lanes)[Count];

  template <class Real, int Width>
  WEIR_HOST_DEVICE void operator()(int access, Real const (&values)[Width]) const {
    int const first = Width > 1 ? 0 : access % Count;
    unroll<Width>([&](int i) { lanes[first + i].add(values[i]); });
  }
};

template <class Lane>
struct OneLane {
  Lane& lane;

  template <class Real>
  WEIR_HOST_DEVICE void operator()(int, Real const (&values)[1]) const {
    lane.add(values[0]);
  }
};

/// Runs an operation on what a thread has of a leaf, and collects the results.
template <int Width, class Lane, class Operation>
WEIR_HOST_DEVICE inline void collect(Operation const& operation, std::size_t leaf, std::size_t size,
                                     unsigned thread, Lane (&lanes)[LeafShare<Width>::lanes]) {
  using Share = LeafShare<Width>;
  constexpr int in_flight = tuning_here().leaf_loads_in_flight;
  constexpr int together = rows_together(in_flight, Operation::loads, Share::accesses);
  // Two rows at least where a lane is every second of them.
  constexpr int rows = Width == 1 && together == 1 ? 2 : together;

  std::size_t const begin = leaf * leaf_elements;
  std::size_t at = begin + std::size_t{thread} * Width;
  if (size - begin >= leaf_elements) {
    for (unsigned access = 0; access < Share::accesses; access += rows) {
      operation.template run<Width, rows>(at, Share::stride, LaneSink<Lane, Share::lanes>{lanes});
      at += rows * Share::stride;
    }
    return;
  }
  // The last leaf, and no more than that.
  for (; at < size; at += leaf_lanes) {
    unroll<Share::lanes>([&](int lane) {
      std::size_t const element = at + static_cast<unsigned>(lane) * (Width > 1 ? 1 : Share::stride);
      if (element < size) operation.template run<1, 1>(element, 1, OneLane<Lane>{lanes[lane]});
    });
  }
}

template <int Half, class Warp, class Nodes>
WEIR_HOST_DEVICE inline void fold_own(Warp const& warp, Nodes& nodes) {
  if constexpr (Half > 0) {
    unroll<Half>([&](int i) { warp.merge(nodes[i], nodes[i + Half]); });
    fold_own<Half / 2>(warp, nodes);
  }
}

/// Folds the nodes of the 64 lanes of each leaf by halving. The result is the first thread's of a group.
template <int Width, class Warp, class Nodes>
WEIR_HOST_DEVICE inline void fold_lanes(Warp const& warp, Nodes& nodes) {
  using Share = LeafShare<Width>;
  if constexpr (Width > 1) {
    for (unsigned distance = Share::threads / 2; distance != 0; distance /= 2) {
      unroll<Share::lanes>([&](int i) { warp.merge_down(nodes[i], distance); });
    }
    fold_own<Share::lanes / 2>(warp, nodes);
  } else {
    warp.merge(nodes[0], nodes[1]);
    for (unsigned distance = Share::threads / 2; distance != 0; distance /= 2) {
      warp.merge_down(nodes[0], distance);
    }
  }
}

/// Folds nodes pairwise that lie every `distance` threads. The result is the first thread's.
template <class Warp, class Node>
WEIR_HOST_DEVICE inline void fold_threads(Warp const& warp, Node& node, unsigned distance) {
  for (; distance < warp_threads; distance *= 2) warp.merge_down(node, distance);
}

/// What a warp does: its subtree, added to `fold` by its first thread.
template <int Width, class Lane, class Warp, class Operation, class Fold>
WEIR_HOST_DEVICE inline void fold_subtree(Warp const& warp, Operation const& operation, LeafGrid const& grid,
                                          std::size_t first_leaf, Fold& fold) {
  using Share = LeafShare<Width>;
  using Node = typename Lane::Node;
  std::size_t const behind = first_leaf + grid.subtree;
  std::size_t const end = behind < grid.leaves ? behind : grid.leaves;
  for (std::size_t leaf = first_leaf; leaf < end; leaf += Share::leaves) {
    typename Warp::template Value<Node> nodes[Share::lanes];
    warp.each([&](unsigned thread) {
      Lane lanes[Share::lanes] = {};
      std::size_t const mine = leaf + thread / Share::threads;
      if (mine < grid.leaves) {
        collect<Width>(operation, mine, grid.size, thread % Share::threads, lanes);
      }
      unroll<Share::lanes>([&](int i) { warp.of(nodes[i], thread) = lanes[i].node(); });
    });
    fold_lanes<Width>(warp, nodes);
    fold_threads(warp, nodes[0], Share::threads);
    warp.first([&] { fold.add(warp.of(nodes[0], 0)); });
  }
}

/// The fold of `Count` nodes from `first` on, of `count` there are, pairwise. `load(i)` is node i.
template <int Count, class Node, class Load>
WEIR_HOST_DEVICE inline Node fold_loaded(Load const& load, unsigned first, unsigned count) {
  if constexpr (Count == 1) {
    return first < count ? load(first) : Node{};
  } else {
    Node left = fold_loaded<Count / 2, Node>(load, first, count);
    left.merge(fold_loaded<Count / 2, Node>(load, first + Count / 2, count));
    return left;
  }
}

/// What a warp does in the end: its share of the nodes that the blocks have left, `Count` a thread.
template <int Count, class Node, class Warp, class Load>
WEIR_HOST_DEVICE inline void fold_blocks(Warp const& warp, typename Warp::template Value<Node>& node,
                                         Load const& load, unsigned index, unsigned count) {
  warp.each([&](unsigned thread) {
    warp.of(node, thread) = fold_loaded<Count, Node>(load, (index * warp_threads + thread) * Count, count);
  });
  fold_threads(warp, node, 1);
}

}  // namespace detail
}  // namespace weir::inline v1
