#pragma once

#include <cstdint>

#include "weir/core/half.hpp"
#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/block.cuh"
#include "weir/cuda/kernels/unroll.cuh"

namespace weir::inline v1 {
namespace detail {

/// Whether the code that is being compiled may have products by warpgroups: only that for sm_90a may.
WEIR_HOST_DEVICE constexpr bool has_wide_products() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  return true;
#else
  return false;
#endif
}

/// A block whose warpgroups, 4 warps each, multiply what lies in shared memory. A product begins at once and
/// ends when it is awaited: until then nobody touches its sums, nor writes what it reads.
///
/// Tensor cores read shared memory by another way than threads write it: what a thread has written, or copied
/// and awaited, they see after it has called `publish` and then all `sync`.
struct DeviceWideBlock : DeviceBlock {
  /// The number of this thread's warpgroup, the same for all of a warp to the compiler's knowledge, too.
  WEIR_HOST_DEVICE unsigned warpgroup() const {
#if defined(__CUDA_ARCH__)
    return __shfl_sync(0xffff'ffffu, threadIdx.x / 128, 0);
#else
    return 0;
#endif
  }

  WEIR_HOST_DEVICE void publish() const {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
  }

  /// What comes before the products of a group: the sums that they are added to are ready.
  template <int Count>
  WEIR_HOST_DEVICE void open_products([[maybe_unused]] float (&sums)[Count][64]) const {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    hold(sums);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
  }

  /// Begins `sum += left * right` of 64 x 16 and 16 x 128 elements by a warpgroup: panel_operand.cuh makes
  /// the descriptors of the operands, and says which thread has which sums.
  template <bool LeftIsAcross, bool RightIsAcross>
  WEIR_HOST_DEVICE void multiply_panels([[maybe_unused]] std::uint64_t left,
                                        [[maybe_unused]] std::uint64_t right,
                                        [[maybe_unused]] float (&sum)[64], half const*) const {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.b32 adds, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "%64, %65, adds, 1, 1, %67, %68;\n}"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]), "+f"(sum[4]), "+f"(sum[5]), "+f"(sum[6]),
          "+f"(sum[7]), "+f"(sum[8]), "+f"(sum[9]), "+f"(sum[10]), "+f"(sum[11]), "+f"(sum[12]),
          "+f"(sum[13]), "+f"(sum[14]), "+f"(sum[15]), "+f"(sum[16]), "+f"(sum[17]), "+f"(sum[18]),
          "+f"(sum[19]), "+f"(sum[20]), "+f"(sum[21]), "+f"(sum[22]), "+f"(sum[23]), "+f"(sum[24]),
          "+f"(sum[25]), "+f"(sum[26]), "+f"(sum[27]), "+f"(sum[28]), "+f"(sum[29]), "+f"(sum[30]),
          "+f"(sum[31]), "+f"(sum[32]), "+f"(sum[33]), "+f"(sum[34]), "+f"(sum[35]), "+f"(sum[36]),
          "+f"(sum[37]), "+f"(sum[38]), "+f"(sum[39]), "+f"(sum[40]), "+f"(sum[41]), "+f"(sum[42]),
          "+f"(sum[43]), "+f"(sum[44]), "+f"(sum[45]), "+f"(sum[46]), "+f"(sum[47]), "+f"(sum[48]),
          "+f"(sum[49]), "+f"(sum[50]), "+f"(sum[51]), "+f"(sum[52]), "+f"(sum[53]), "+f"(sum[54]),
          "+f"(sum[55]), "+f"(sum[56]), "+f"(sum[57]), "+f"(sum[58]), "+f"(sum[59]), "+f"(sum[60]),
          "+f"(sum[61]), "+f"(sum[62]), "+f"(sum[63])
        : "l"(left), "l"(right), "r"(1), "n"(LeftIsAcross ? 1 : 0), "n"(RightIsAcross ? 1 : 0)
        : "memory");
#endif
  }
  template <bool LeftIsAcross, bool RightIsAcross>
  WEIR_HOST_DEVICE void multiply_panels([[maybe_unused]] std::uint64_t left,
                                        [[maybe_unused]] std::uint64_t right,
                                        [[maybe_unused]] float (&sum)[64], bfloat16 const*) const {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    asm volatile(
        "{\n.reg .pred adds;\nsetp.ne.b32 adds, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "%64, %65, adds, 1, 1, %67, %68;\n}"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3]), "+f"(sum[4]), "+f"(sum[5]), "+f"(sum[6]),
          "+f"(sum[7]), "+f"(sum[8]), "+f"(sum[9]), "+f"(sum[10]), "+f"(sum[11]), "+f"(sum[12]),
          "+f"(sum[13]), "+f"(sum[14]), "+f"(sum[15]), "+f"(sum[16]), "+f"(sum[17]), "+f"(sum[18]),
          "+f"(sum[19]), "+f"(sum[20]), "+f"(sum[21]), "+f"(sum[22]), "+f"(sum[23]), "+f"(sum[24]),
          "+f"(sum[25]), "+f"(sum[26]), "+f"(sum[27]), "+f"(sum[28]), "+f"(sum[29]), "+f"(sum[30]),
          "+f"(sum[31]), "+f"(sum[32]), "+f"(sum[33]), "+f"(sum[34]), "+f"(sum[35]), "+f"(sum[36]),
          "+f"(sum[37]), "+f"(sum[38]), "+f"(sum[39]), "+f"(sum[40]), "+f"(sum[41]), "+f"(sum[42]),
          "+f"(sum[43]), "+f"(sum[44]), "+f"(sum[45]), "+f"(sum[46]), "+f"(sum[47]), "+f"(sum[48]),
          "+f"(sum[49]), "+f"(sum[50]), "+f"(sum[51]), "+f"(sum[52]), "+f"(sum[53]), "+f"(sum[54]),
          "+f"(sum[55]), "+f"(sum[56]), "+f"(sum[57]), "+f"(sum[58]), "+f"(sum[59]), "+f"(sum[60]),
          "+f"(sum[61]), "+f"(sum[62]), "+f"(sum[63])
        : "l"(left), "l"(right), "r"(1), "n"(LeftIsAcross ? 1 : 0), "n"(RightIsAcross ? 1 : 0)
        : "memory");
#endif
  }

  /// Ends a group of products.
  WEIR_HOST_DEVICE void close_products() const {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
  }

  /// This warpgroup's groups of products but the last `Left` have ended.
  template <int Left>
  WEIR_HOST_DEVICE void await_products() const {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Left) : "memory");
#endif
  }
  /// All have ended, and these are their sums.
  template <int Count>
  WEIR_HOST_DEVICE void await_sums([[maybe_unused]] float (&sums)[Count][64]) const {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    await_products<0>();
    hold(sums);
#endif
  }

 private:
  /// The compiler moves nothing that is done with the sums past this.
  template <int Count>
  WEIR_HOST_DEVICE static void hold([[maybe_unused]] float (&sums)[Count][64]) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
    unroll<Count>([&](int i) { unroll<64>([&](int j) { asm volatile("" : "+f"(sums[i][j])::"memory"); }); });
#endif
  }
};

}  // namespace detail
}  // namespace weir::inline v1
