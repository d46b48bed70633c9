#pragma once

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {
namespace detail {

/// What kernels that stream through memory are tuned by.
///
/// A stream of reads needs bandwidth times latency bytes under way: on an H100 3.35 TB/s times 0.8 to 1.6 us
/// under load, 20 to 40 KB for each of its 132 multiprocessors; on an A100 2.0 TB/s times 0.7 to 1.2 us, 13
/// to 22 KB for each of 108. A load is 16 bytes, so 256 threads with 8 loads each have 32 KB under way, and
/// four such blocks on a multiprocessor 128 KB: enough while half of them wait for their first address or
/// write.
struct Tuning {
  int loads_in_flight;       // of a thread, of kernels with a block for each tile
  int leaf_loads_in_flight;  // the same of kernels that sum up leaves, which have fewer threads
};

/// `capability` is 90 for sm_90.
WEIR_HOST_DEVICE constexpr Tuning tuning_for(int capability) {
  // 25 MB of float are 1,526 leaves, at 16 threads a leaf 185 threads for each multiprocessor of an H100: 16
  // loads each are 47 KB. An A100 has 226 threads for each, and with 8 loads 29 KB.
  if (capability >= 90) return {8, 16};
  return {4, 8};
}

/// That of the device which the code is compiled for.
WEIR_HOST_DEVICE constexpr Tuning tuning_here() {
#if defined(__CUDA_ARCH__)
  return tuning_for(__CUDA_ARCH__ / 10);
#else
  return tuning_for(0);
#endif
}

/// Threads of a block that takes a tile. With 8 blocks a multiprocessor's 2,048 threads are full.
inline constexpr int tile_threads = 256;

/// Accesses of one array by a thread in its tile: the tile of a sum of two vectors of 25 MB is one of 1,526,
/// so that a last wave which is not full costs little, and yet a block lives long enough to be worth its
/// start. Those of more vectors have less, and the same bytes.
WEIR_HOST_DEVICE constexpr int tile_rows(int loads_of_a_row) {
  return loads_of_a_row <= 2 ? 4 : loads_of_a_row <= 4 ? 2 : 1;
}

/// The largest power of two of rows, at most `most`, whose loads are in flight together.
WEIR_HOST_DEVICE constexpr int rows_together(int loads_in_flight, int loads_of_a_row, int most) {
  int rows = 1;
  while (2 * rows <= most && 2 * rows * loads_of_a_row <= loads_in_flight) rows *= 2;
  return rows;
}

/// Warps of a block that sums up leaves: few, so that a bucket of 25 MB gives each multiprocessor three
/// blocks (382 of 132), and none has half again as much to do as another.
inline constexpr int leaf_warps = 2;

/// Blocks that sum up leaves, at most: each leaves a partial result, which the last one folds.
inline constexpr unsigned most_leaf_blocks = 1024;

}  // namespace detail
}  // namespace weir::inline v1
