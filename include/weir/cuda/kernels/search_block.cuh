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
