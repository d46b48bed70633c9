#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/leaf_kernel.cuh"

namespace weir::inline v1 {
namespace detail {

/// Threads of a block that sparsifies.
inline constexpr unsigned search_threads = 256;
inline constexpr unsigned search_warps = search_threads / warp_threads;

/// The block that a thread of a kernel belongs to. What is written for it, in steps that all threads take
/// together, a test plays on the host with another one. What is not in a step is the same for all threads.
struct SearchBlock {
  using Warp = DeviceWarp;

  /// f(thread), for each thread.
  template <class Function>
  WEIR_HOST_DEVICE void each([[maybe_unused]] Function const& f) const {
#if defined(__CUDA_ARCH__)
    f(threadIdx.x);
    __syncthreads();
#endif
  }

  /// f(warp, number), for each warp.
  template <class Function>
  WEIR_HOST_DEVICE void warps([[maybe_unused]] Function const& f) const {
#if defined(__CUDA_ARCH__)
    f(DeviceWarp{}, threadIdx.x / warp_threads);
    __syncthreads();
#endif
  }

  /// f(), once.
  template <class Function>
  WEIR_HOST_DEVICE void once([[maybe_unused]] Function const& f) const {
#if defined(__CUDA_ARCH__)
    if (threadIdx.x == 0) f();
    __syncthreads();
#endif
  }
};

/// A sum of each thread of a block and of each warp, in shared memory, so that a thread has few to add up to
/// know that of all before it or behind it.
template <class Sum>
struct ThreadSums {
  Sum of_thread[search_threads];
  Sum of_warp[search_warps];

  /// When all threads have written theirs.
  template <class Block>
  WEIR_HOST_DEVICE void add_up(Block const& block) {
    block.each([&](unsigned thread) {
      if (thread >= search_warps) return;
      Sum sum{};
      for (unsigned i = 0; i < warp_threads; ++i) sum += of_thread[thread * warp_threads + i];
      of_warp[thread] = sum;
    });
  }

  WEIR_HOST_DEVICE Sum before(unsigned thread) const {
    unsigned const own = thread / warp_threads;
    Sum sum{};
    for (unsigned warp = 0; warp < own; ++warp) sum += of_warp[warp];
    for (unsigned other = own * warp_threads; other < thread; ++other) sum += of_thread[other];
    return sum;
  }
  WEIR_HOST_DEVICE Sum behind(unsigned thread) const {
    unsigned const next = thread / warp_threads + 1;
    Sum sum{};
    for (unsigned warp = next; warp < search_warps; ++warp) sum += of_warp[warp];
    for (unsigned other = thread + 1; other < next * warp_threads; ++other) sum += of_thread[other];
    return sum;
  }
};

// What threads of several blocks do to the same word. Of integers, so that their order makes no difference.

template <class Word>
WEIR_HOST_DEVICE inline void add_together(Word* to, Word value) {
#if defined(__CUDA_ARCH__)
  if constexpr (sizeof(Word) == 8) {
    atomicAdd(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
  } else {
    atomicAdd(to, value);
  }
#else
  *to += value;
#endif
}

template <class Word>
WEIR_HOST_DEVICE inline void raise_together(Word* to, Word value) {
#if defined(__CUDA_ARCH__)
  if constexpr (sizeof(Word) == 8) {
    atomicMax(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
  } else {
    atomicMax(to, value);
  }
#else
  if (value > *to) *to = value;
#endif
}

template <class Word>
WEIR_HOST_DEVICE inline void lower_together(Word* to, Word value) {
#if defined(__CUDA_ARCH__)
  if constexpr (sizeof(Word) == 8) {
    atomicMin(reinterpret_cast<unsigned long long*>(to), static_cast<unsigned long long>(value));
  } else {
    atomicMin(to, value);
  }
#else
  if (value < *to) *to = value;
#endif
}

WEIR_HOST_DEVICE inline void set_together(std::uint32_t* to, std::uint32_t bits) {
#if defined(__CUDA_ARCH__)
  atomicOr(to, bits);
#else
  *to |= bits;
#endif
}

WEIR_HOST_DEVICE inline unsigned ones(unsigned bits) {
#if defined(__CUDA_ARCH__)
  return static_cast<unsigned>(__popc(bits));
#else
  return static_cast<unsigned>(__builtin_popcount(bits));
#endif
}

/// The bits of the threads of a warp before this one.
WEIR_HOST_DEVICE constexpr unsigned threads_before(unsigned thread) {
  return (1u << thread) - 1u;
}

}  // namespace detail
}  // namespace weir::inline v1
