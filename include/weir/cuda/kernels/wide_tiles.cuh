#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/block.cuh"
#include "weir/cuda/kernels/multiply_tiles.cuh"
#include "weir/cuda/kernels/panel_operand.cuh"
#include "weir/cuda/kernels/unroll.cuh"
#include "weir/cuda/kernels/wide_block.cuh"

namespace weir::inline v1 {
namespace detail {

/// The product of a narrow operand, `Side` rows, and a wide one, of which each warpgroup has 128 rows. Pieces
/// of 64 k of both arrive in shared memory while those before are multiplied.
///
/// A piece is awaited, made visible to the tensor cores, and multiplied at once while the product of the one
/// before may still be under way; the one before that has ended, and the copies of a later piece go to its
/// place. So one barrier a piece is enough.
template <class Element, int Side, bool LeftIsAcross, bool RightIsAcross, int Warpgroups, int Stages>
struct WideTiles {
  static_assert(Side % 64 == 0 && Stages >= 3);
  static constexpr unsigned threads = 128 * Warpgroups;
  static constexpr unsigned wide = 128 * Warpgroups;
  static constexpr unsigned left_panels = Side / panel_side;
  static constexpr unsigned right_panels = wide / panel_side;
  static constexpr unsigned stage_bytes = (left_panels + right_panels) * panel_bytes;
  static constexpr std::size_t shared_bytes = std::size_t{Stages} * stage_bytes + panel_alignment;
  static constexpr int parts = static_cast<int>(left_panels);
  using Sums = float[parts][64];

  /// Where panels can begin in `memory`.
  template <class Block>
  WEIR_HOST_DEVICE static unsigned char* aligned(Block const& block, unsigned char* memory) {
    return memory + (panel_alignment - block.shared_address(memory) % panel_alignment) % panel_alignment;
  }

  /// Sums up `steps` pieces: `load(step, left, right)` begins to copy the panels of one. Behind it the
  /// panels' memory is free, but for other threads only after a `sync`.
  template <class Block, class Load>
  WEIR_HOST_DEVICE static void multiply(Block const& block, unsigned char* panels, unsigned steps,
                                        Load const& load, Sums& sums) {
    unsigned const address = block.shared_address(panels);
    auto const begin = [&](unsigned step, unsigned stage) {
      if (step < steps) {
        unsigned char* const left = panels + stage * stage_bytes;
        load(step, left, left + left_panels * panel_bytes);
      }
      block.close();
    };
    if (steps == 0) return;
    unroll<Stages - 2>([&](int stage) { begin(static_cast<unsigned>(stage), static_cast<unsigned>(stage)); });
    unsigned stage = 0;
    unsigned step = 0;
    do {  // at least once: sums that may come from elsewhere would be moved while products are under way
      block.template await_all_but<Stages - 3>();
      block.publish();
      block.template await_products<1>();
      block.sync();  // this piece is there for all, and nobody reads the one before the last any more
      multiply_piece(block, address + stage * stage_bytes, sums);
      begin(step + Stages - 2, stage < 2 ? stage + Stages - 2 : stage - 2);
      stage = stage + 1 == Stages ? 0 : stage + 1;
    } while (++step < steps);
    block.await_sums(sums);
  }

  /// Calls `f(row, column, one, next)` for all sums of a thread, two neighbours of a row at a time: rows are
  /// those of the narrow operand, columns the rows of the wide one.
  template <class Function>
  WEIR_HOST_DEVICE static void each_pair(unsigned thread, Sums const& sums, Function const& f) {
    unroll<parts>([&](int part) {
      unroll<32>([&](int pair) {
        auto const place = panel_result_place(thread % 128, static_cast<unsigned>(2 * pair));
        f(static_cast<unsigned>(part) * panel_side + static_cast<unsigned>(place.row),
          thread / 128 * 128 + static_cast<unsigned>(place.column), sums[part][2 * pair],
          sums[part][2 * pair + 1]);
      });
    });
  }

 private:
  template <class Block>
  WEIR_HOST_DEVICE static void multiply_piece(Block const& block, unsigned left, Sums& sums) {
    unsigned const right = left + (left_panels + block.warpgroup() * (128 / panel_side)) * panel_bytes;
    block.open_products(sums);
    unroll<static_cast<int>(panel_side / 16)>([&](int step) {
      auto const k = static_cast<unsigned>(16 * step);
      unroll<parts>([&](int part) {
        block.template multiply_panels<LeftIsAcross, RightIsAcross>(
            panel_descriptor<LeftIsAcross>(left + static_cast<unsigned>(part) * panel_bytes, k),
            panel_descriptor<RightIsAcross>(right, k), sums[part], static_cast<Element const*>(nullptr));
      });
    });
    block.close_products();
  }
};

/// Code that cannot do it says so by its bound: a block of one warp.
template <class Operation>
__global__ void __launch_bounds__(has_wide_products() ? Operation::threads : 32, 1)
    wide_tiles_kernel([[maybe_unused]] __grid_constant__ Operation const operation) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  extern __shared__ __align__(16) unsigned char wide_memory[];
  operation.run(DeviceWideBlock(), wide_memory);
#endif
}

/// Enqueues an operation, if the code that the device runs has products by warpgroups; says whether.
template <class Operation>
bool launch_wide_products(CudaExecutor const& executor, Operation const& operation, char const* what) {
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  auto* const kernel = wide_tiles_kernel<Operation>;
  auto const* const function = reinterpret_cast<void const*>(kernel);
  if (!has_room_for(function, Operation::threads)) return false;
  check_cuda(cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(Operation::shared_bytes)),
             "cudaFuncSetAttribute");
  kernel<<<blocks_of(operation, what), Operation::threads, Operation::shared_bytes, stream>>>(operation);
  check_cuda(cudaPeekAtLastError(), what);
  return true;
}

}  // namespace detail
}  // namespace weir::inline v1
