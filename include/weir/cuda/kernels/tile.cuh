#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/partition.cuh"
#include "weir/cuda/kernels/tuning.cuh"
#include "weir/cuda/kernels/unroll.cuh"

namespace weir::inline v1 {
namespace detail {

// An operation works on elements that lie in packs. It has
// - `run<Width, Rows>(first, stride, sink)`, which does `Rows` packs of `Width` elements, `stride` elements
//   apart, the first one at element `first`, and calls `sink(row, values)` with the numbers of each;
// - `loads`, how many loads of 16 bytes a row costs, or as many registers.
// One that writes does not read what another pack writes.

struct NoSink {
  template <class Values>
  WEIR_HOST_DEVICE void operator()(int, Values const&) const {}
};

/// What one thread does of a tile: every `tile_threads`-th pack of it, and of the elements that are in no
/// pack its share, if the tile is the first.
template <int Width, class Operation>
WEIR_HOST_DEVICE inline void run_tile(Operation const& operation, Partition const& partition,
                                      std::size_t tile, unsigned thread) {
  constexpr int rows_of_tile = tile_rows(Operation::loads);
  constexpr int rows = rows_together(tuning_here().loads_in_flight, Operation::loads, rows_of_tile);
  constexpr std::size_t packs_of_tile = std::size_t{tile_threads} * rows_of_tile;
  constexpr std::size_t stride = std::size_t{tile_threads} * Width;

  std::size_t const first_of_tile = tile * packs_of_tile;
  std::size_t at = partition.head + (first_of_tile + thread) * Width;
  if (partition.packs - first_of_tile >= packs_of_tile) {
    unroll<rows_of_tile / rows>([&](int) {
      operation.template run<Width, rows>(at, stride, NoSink{});
      at += rows * stride;
    });
  } else {
    for (std::size_t pack = first_of_tile + thread; pack < partition.packs; pack += tile_threads) {
      operation.template run<Width, 1>(at, stride, NoSink{});
      at += stride;
    }
  }
  if constexpr (Width > 1) {
    if (tile == 0 && thread < partition.head + partition.tail) {
      std::size_t const edge = thread < partition.head ? thread : thread + partition.packs * Width;
      operation.template run<1, 1>(edge, 1, NoSink{});
    }
  }
}

template <class Operation>
std::size_t tiles_of(Partition const& partition) {
  constexpr std::size_t packs_of_tile = std::size_t{tile_threads} * tile_rows(Operation::loads);
  std::size_t const tiles = (partition.packs + packs_of_tile - 1) / packs_of_tile;
  return tiles == 0 ? 1 : tiles;
}

template <class Operation, int Width>
__global__ void __launch_bounds__(tile_threads, 4)
    tile_kernel(__grid_constant__ Operation const operation, __grid_constant__ Partition const partition) {
  run_tile<Width>(operation, partition, blockIdx.x, threadIdx.x);
}

/// Enqueues an operation on elements of which there is at least one.
template <int Width, class Operation>
void launch_tiles(CudaExecutor const& executor, Operation const& operation, Partition const& partition,
                  char const* what) {
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  tile_kernel<Operation, Width>
      <<<static_cast<unsigned>(tiles_of<Operation>(partition)), tile_threads, 0, stream>>>(operation,
                                                                                           partition);
  check_cuda(cudaPeekAtLastError(), what);
}

}  // namespace detail
}  // namespace weir::inline v1
