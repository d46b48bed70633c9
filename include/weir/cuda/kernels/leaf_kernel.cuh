#pragma once

#include <cstddef>

#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/leaf.cuh"
#include "weir/cuda/kernels/tuning.cuh"
#include "weir/cuda/kernels/unroll.cuh"

namespace weir::inline v1 {
namespace detail {

/// The warp that a thread of a kernel belongs to. On the host it is of no use, but what is written for both
/// refers to it.
struct DeviceWarp {
  template <class T>
  using Value = T;

  template <class Function>
  WEIR_HOST_DEVICE void each(Function const& f) const {
    f(thread());
  }
  template <class Function>
  WEIR_HOST_DEVICE void first(Function const& f) const {
    if (thread() == 0) f();
  }
  template <class T>
  WEIR_HOST_DEVICE T& of(T& value, unsigned) const {
    return value;
  }
  template <class Node>
  WEIR_HOST_DEVICE void merge(Node& left, Node const& right) const {
    left.merge(right);
  }

  /// One bit of each thread's flags: bit t is that of thread t.
  WEIR_HOST_DEVICE unsigned ballot([[maybe_unused]] unsigned flags, [[maybe_unused]] int bit) const {
#if defined(__CUDA_ARCH__)
    return __ballot_sync(0xffff'ffffu, (flags >> bit & 1u) != 0);
#else
    return 0;
#endif
  }

  /// Merges the node of the thread `distance` further on. Only of use to threads that have one there.
  template <class Node>
  WEIR_HOST_DEVICE void merge_down(Node& node, [[maybe_unused]] unsigned distance) const {
#if defined(__CUDA_ARCH__)
    static_assert(sizeof(Node) % sizeof(unsigned) == 0);
    constexpr int count = sizeof(Node) / sizeof(unsigned);
    unsigned words[count];
    __builtin_memcpy(words, &node, sizeof(node));
    unroll<count>([&](int i) { words[i] = __shfl_down_sync(0xffff'ffffu, words[i], distance); });
    Node other;
    __builtin_memcpy(&other, words, sizeof(other));
    node.merge(other);
#endif
  }

 private:
  WEIR_HOST_DEVICE static unsigned thread() {
#if defined(__CUDA_ARCH__)
    return threadIdx.x % warp_threads;
#else
    return 0;
#endif
  }
};

/// Nodes that the blocks leave for the last of them, and how many have.
template <class Node>
struct BlockNodes {
  Node* nodes;
  unsigned* arrived;  // 0 before and after

  /// Past the caches of this multiprocessor, which know nothing of what others write.
  WEIR_HOST_DEVICE Node operator()([[maybe_unused]] unsigned block) const {
#if defined(__CUDA_ARCH__)
    static_assert(sizeof(Node) % sizeof(unsigned long long) == 0);
    constexpr int count = sizeof(Node) / sizeof(unsigned long long);
    auto const* const from = reinterpret_cast<unsigned long long const*>(nodes + block);
    unsigned long long words[count];
    unroll<count>([&](int i) { words[i] = __ldcg(from + i); });
    Node node;
    __builtin_memcpy(&node, words, sizeof(node));
    return node;
#else
    return {};
#endif
  }

  /// Whether this block is the last one.
  __device__ bool leave(Node const& node) const {
    nodes[blockIdx.x] = node;
    __threadfence();
    return atomicInc(arrived, gridDim.x - 1) == gridDim.x - 1;  // which sets it to 0 again
  }
};

/// Runs an operation on all leaves, and hands the root of the tree to `finish`.
template <int Width, class Lane, class Operation, class Finish>
__global__ void __launch_bounds__(leaf_warps* static_cast<int>(warp_threads), Lane::blocks_together)
    leaf_kernel(__grid_constant__ Operation const operation, __grid_constant__ LeafGrid const grid,
                BlockNodes<typename Lane::Node> const blocks, Finish const finish) {
  using Node = typename Lane::Node;
  static_assert(leaf_warps == 2);
  constexpr int nodes_of_thread = static_cast<int>(Lane::most_blocks / (leaf_warps * warp_threads));
  // As bytes: a constructor would have to run in each thread.
  __shared__ alignas(16) unsigned char fold_bytes[leaf_warps][sizeof(PairwiseFold<Node>)];
  __shared__ alignas(16) unsigned char node_bytes[sizeof(Node)];
  __shared__ bool is_last;
  Node& second = reinterpret_cast<Node&>(node_bytes);

  DeviceWarp const warp;
  unsigned const index = threadIdx.x / warp_threads;
  bool const is_first = threadIdx.x == 0;
  auto& fold = reinterpret_cast<PairwiseFold<Node>&>(fold_bytes[index]);
  warp.first([&] { fold.clear(); });
  fold_subtree<Width, Lane>(warp, operation, grid,
                            (std::size_t{blockIdx.x} * leaf_warps + index) * grid.subtree, fold);
  Node node{};
  warp.first([&] { node = fold.total(Node{}); });
  if (threadIdx.x == warp_threads) second = node;
  __syncthreads();
  if (is_first) {
    node.merge(second);
    is_last = gridDim.x == 1 || blocks.leave(node);
  }
  __syncthreads();
  if (!is_last) return;
  if (gridDim.x > 1) {
    __threadfence();
    fold_blocks<nodes_of_thread, Node>(warp, node, blocks, index, gridDim.x);
    if (threadIdx.x == warp_threads) second = node;
    __syncthreads();
    if (is_first) node.merge(second);
  }
  if (is_first) finish(node);
}

/// Enqueues an operation on the elements of a vector, and `finish(root)`.
template <int Width, class Lane, class Operation, class Finish>
void launch_leaves(CudaExecutor const& executor, Operation const& operation, std::size_t size,
                   Finish const& finish, char const* what) {
  using Node = typename Lane::Node;
  static_assert(Lane::most_blocks * sizeof(Node) <= CudaScratch::bytes);
  LeafGrid const grid = LeafGrid::of(size, LeafShare<Width>::leaves, Lane::most_blocks);
  cudaStream_t const stream = executor.stream();
  CudaScratch const& scratch = executor.scratch();
  DeviceGuard const guard(executor.device());
  leaf_kernel<Width, Lane><<<grid.blocks, leaf_warps * warp_threads, 0, stream>>>(
      operation, grid, BlockNodes<Node>{static_cast<Node*>(scratch.memory()), scratch.counter()}, finish);
  check_cuda(cudaPeekAtLastError(), what);
}

}  // namespace detail
}  // namespace weir::inline v1
