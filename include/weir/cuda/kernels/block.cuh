#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/core/error.hpp"
#include "weir/core/half.hpp"
#include "weir/core/host_device.hpp"

namespace weir::inline v1 {
namespace detail {

/// The block of threads that runs a kernel's body. A body takes it as an argument, and does all that threads
/// do together through it, so that a test can play the body on the host with a block of its own.
struct DeviceBlock {
  WEIR_HOST_DEVICE unsigned thread() const {
#if defined(__CUDA_ARCH__)
    return threadIdx.x;
#else
    return 0;
#endif
  }
  WEIR_HOST_DEVICE unsigned threads() const {
#if defined(__CUDA_ARCH__)
    return blockDim.x;
#else
    return 1;
#endif
  }
  WEIR_HOST_DEVICE unsigned index() const {
#if defined(__CUDA_ARCH__)
    return blockIdx.x;
#else
    return 0;
#endif
  }

  /// All threads get here before any goes on.
  WEIR_HOST_DEVICE void sync() const {
#if defined(__CUDA_ARCH__)
    __syncthreads();
#endif
  }

  /// The same; whether it is true of any thread.
  WEIR_HOST_DEVICE bool any(bool is_true) const {
#if defined(__CUDA_ARCH__)
    return __syncthreads_or(is_true ? 1 : 0) != 0;
#else
    return is_true;
#endif
  }

  /// `value` of the thread of this warp whose number differs in the bits of `mask`.
  template <class Real>
  WEIR_HOST_DEVICE Real exchange(Real value, [[maybe_unused]] unsigned mask) const {
#if defined(__CUDA_ARCH__)
    return __shfl_xor_sync(0xffff'ffffu, value, mask);
#else
    return value;
#endif
  }

  /// Where in shared memory this is.
  WEIR_HOST_DEVICE unsigned shared_address([[maybe_unused]] void const* shared) const {
#if defined(__CUDA_ARCH__)
    return static_cast<unsigned>(__cvta_generic_to_shared(shared));
#else
    return 0;
#endif
  }

  // From here on what devices have from sm_80 on.

  /// Begins to copy 16 bytes to shared memory, the first `bytes` of them from `from` and else zeros; both
  /// addresses are multiples of 16. What begins between two calls of `close` is a group.
  WEIR_HOST_DEVICE void copy_async([[maybe_unused]] void* shared, [[maybe_unused]] void const* from,
                                   [[maybe_unused]] unsigned bytes) const {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(from),
                 "r"(bytes)
                 : "memory");
#endif
  }
  WEIR_HOST_DEVICE void close() const {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
  }
  /// This thread's groups but the last `Count` have arrived. Other threads see that after `sync`.
  template <int Count>
  WEIR_HOST_DEVICE void await_all_but() const {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(Count) : "memory");
#endif
  }

  /// Four matrices of 8 x 8 elements of 16 bits: `row` of thread i is row i % 8 of matrix i / 8, 16 bytes of
  /// shared memory. Thread i gets of each the elements 2 * (i % 4) and 2 * (i % 4) + 1 of row i / 4; of the
  /// transposed, where it asks for that.
  template <bool IsTransposed>
  WEIR_HOST_DEVICE void load_matrices([[maybe_unused]] void const* row,
                                      [[maybe_unused]] std::uint32_t (&to)[4]) const {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    if constexpr (IsTransposed) {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                   : "r"(shared_address(row))
                   : "memory");
    } else {
      asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                   : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                   : "r"(shared_address(row))
                   : "memory");
    }
#endif
  }

  /// `sum += left * right` of 16 x 16 and 16 x 8 elements by a warp; fragment.cuh says which thread has
  /// which.
  WEIR_HOST_DEVICE void multiply([[maybe_unused]] std::uint32_t const (&left)[4],
                                 [[maybe_unused]] std::uint32_t const (&right)[2],
                                 [[maybe_unused]] float (&sum)[4], half const*) const {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]));
#endif
  }
  WEIR_HOST_DEVICE void multiply([[maybe_unused]] std::uint32_t const (&left)[4],
                                 [[maybe_unused]] std::uint32_t const (&right)[2],
                                 [[maybe_unused]] float (&sum)[4], bfloat16 const*) const {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(left[0]), "r"(left[1]), "r"(left[2]), "r"(left[3]), "r"(right[0]), "r"(right[1]));
#endif
  }
};

/// The blocks of an operation, for a launch. Errors: `ContractViolation` where they are more than a grid has.
template <class Operation>
unsigned blocks_of(Operation const& operation, char const* what) {
  std::size_t const blocks = operation.blocks();
  if (blocks > 0x7fff'ffffu) {
    throw ContractViolation(std::string(what) + ": " + std::to_string(blocks) +
                            " blocks are needed, a grid has at most 2147483647; take the batch in parts");
  }
  return static_cast<unsigned>(blocks);
}

}  // namespace detail
}  // namespace weir::inline v1
