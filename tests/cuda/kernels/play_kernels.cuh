#pragma once

// Kernels played on the host: the threads of each block, one after another.

#include <cstddef>
#include <vector>

#include "weir/cuda/kernels/leaf.cuh"
#include "weir/cuda/kernels/search_block.cuh"
#include "weir/cuda/kernels/tile.cuh"

namespace play {

template <int Width, class Operation>
void tiles(Operation const& operation, weir::detail::Partition const& partition) {
  for (std::size_t tile = 0; tile < weir::detail::tiles_of<Operation>(partition); ++tile) {
    for (unsigned thread = 0; thread < weir::detail::tile_threads; ++thread) {
      weir::detail::run_tile<Width>(operation, partition, tile, thread);
    }
  }
}

/// All threads of a warp, in step. (Host code, but called from what is for both.)
struct Warp {
  template <class T>
  struct Value {
    T of_thread[weir::detail::warp_threads];
  };

  template <class Function>
  WEIR_HOST_DEVICE void each(Function const& f) const {
    for (unsigned thread = 0; thread < weir::detail::warp_threads; ++thread) f(thread);
  }
  template <class Function>
  WEIR_HOST_DEVICE void first(Function const& f) const {
    f();
  }
  template <class T>
  WEIR_HOST_DEVICE T& of(Value<T>& value, unsigned thread) const {
    return value.of_thread[thread];
  }
  WEIR_HOST_DEVICE unsigned ballot(Value<unsigned> const& flags, int bit) const {
    unsigned bits = 0;
    each([&](unsigned thread) { bits |= (flags.of_thread[thread] >> bit & 1u) << thread; });
    return bits;
  }
  template <class Node>
  WEIR_HOST_DEVICE void merge(Value<Node>& left, Value<Node> const& right) const {
    each([&](unsigned thread) { left.of_thread[thread].merge(right.of_thread[thread]); });
  }
  template <class Node>
  WEIR_HOST_DEVICE void merge_down(Value<Node>& node, unsigned distance) const {
    Value<Node> const before = node;
    each([&](unsigned thread) {
      // As on the device, a thread without another so far away gets its own.
      bool const is_there = thread + distance < weir::detail::warp_threads;
      node.of_thread[thread].merge(before.of_thread[is_there ? thread + distance : thread]);
    });
  }
};

/// All threads of a block, which take each step one after another.
struct Block {
  using Warp = play::Warp;

  template <class Function>
  WEIR_HOST_DEVICE void each(Function const& f) const {
    for (unsigned thread = 0; thread < weir::detail::search_threads; ++thread) f(thread);
  }
  template <class Function>
  WEIR_HOST_DEVICE void warps(Function const& f) const {
    for (unsigned number = 0; number < weir::detail::search_warps; ++number) f(Warp{}, number);
  }
  template <class Function>
  WEIR_HOST_DEVICE void once(Function const& f) const {
    f();
  }
};

template <class Node>
struct Load {
  Node const* nodes;
  WEIR_HOST_DEVICE Node operator()(unsigned block) const { return nodes[block]; }
};

/// The root of the tree that the leaf kernel makes with at most so many blocks.
template <int Width, class Lane, class Operation>
typename Lane::Node leaves(Operation const& operation, std::size_t size, unsigned most_blocks) {
  using namespace weir::detail;
  using Node = typename Lane::Node;
  LeafGrid const grid = LeafGrid::of(size, LeafShare<Width>::leaves, most_blocks);
  Warp const warp;
  std::vector<Node> blocks;
  for (std::size_t block = 0; block < grid.blocks; ++block) {
    Node warps[leaf_warps];
    for (std::size_t index = 0; index < leaf_warps; ++index) {
      PairwiseFold<Node> fold;
      fold.clear();
      fold_subtree<Width, Lane>(warp, operation, grid, (block * leaf_warps + index) * grid.subtree, fold);
      warps[index] = fold.total(Node{});
    }
    warps[0].merge(warps[1]);
    blocks.push_back(warps[0]);
  }
  if (blocks.size() == 1) return blocks[0];
  constexpr int nodes_of_thread = static_cast<int>(Lane::most_blocks / (leaf_warps * warp_threads));
  Node totals[leaf_warps];
  for (unsigned index = 0; index < leaf_warps; ++index) {
    Warp::Value<Node> node;
    fold_blocks<nodes_of_thread, Node>(warp, node, Load<Node>{blocks.data()}, index, grid.blocks);
    totals[index] = node.of_thread[0];
  }
  totals[0].merge(totals[1]);
  return totals[0];
}

}  // namespace play
