#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/block.cuh"
#include "weir/cuda/kernels/multiply_entries.cuh"
#include "weir/cuda/kernels/unroll.cuh"
#include "weir/exec/group_layout.hpp"

namespace weir::inline v1 {
namespace detail {

/// Element i becomes the one that was at `i ^ mask`, of which only the bits below the width count.
template <class Element, int Width>
WEIR_HOST_DEVICE inline void exchange_in_pack(Element (&pack)[Width], std::uint32_t mask) {
  unroll<Width == 2   ? 1
         : Width == 4 ? 2
                      : 3>([&](int bit) {
    int const distance = 1 << bit;
    bool const is_set = (mask & static_cast<std::uint32_t>(distance)) != 0;
    unroll<Width>([&](int i) {
      if ((i & distance) != 0) return;
      Element const low = pack[i];
      Element const high = pack[i + distance];
      pack[i] = is_set ? high : low;
      pack[i + distance] = is_set ? low : high;
    });
  });
}

/// y = x W^T, or dx = dy W, of a group design of p = 2 for a few samples: what it takes is to read the
/// values, once, 16 bytes at a time. A thread has as many neighbouring outputs as are in 16 bytes, and each
/// of the `lanes` threads of an output every `lanes`-th cell; their sums are added in pairs, in a fixed
/// order.
template <class Value, class In, class Out, bool Transposed, int Samples>
struct MultiplyVector {
  using Real = AccumulatorOf<Value>;
  static constexpr int width = full_width<Value>;
  static_assert(width == 2 || width == 4 || width == 8);
  static constexpr unsigned threads = 256;
  static constexpr unsigned warps = threads / 32;
  static constexpr int blocks_at_once = 3;  // left to choose, ptxas spills on sm_80 to fit one more
  static constexpr unsigned most_packs = 16;
  static constexpr unsigned fewest_packs = 4;  // whose values are 64 bytes in a row, whole sectors
  static constexpr unsigned shared_bytes = warps * most_packs * width * Samples * sizeof(Real);

  /// Whether values can be read so. They are 16-byte aligned.
  static bool takes(GroupLayout const& layout) {
    return layout.shape.prime == 2 && layout.shape.group >= static_cast<std::uint32_t>(width);
  }

  /// Packs of a block: as few as read whole sectors and give every thread a cell.
  static unsigned packs_for(GroupLayout const& layout) {
    unsigned const most = layout.shape.group / static_cast<unsigned>(width);
    unsigned const cells = Transposed ? layout.shape.classes : layout.shape.groups;
    unsigned packs = 1;
    while (packs < most && packs < most_packs && (packs < fewest_packs || threads / packs > cells))
      packs *= 2;
    return packs;
  }

  /// Whether the inputs that belong to a pack can be read at once, too.
  static bool has_packs(BatchView<In const, DeviceSpace> const& in) {
    bool const is_aligned = reinterpret_cast<std::uintptr_t>(in.data) % 16 == 0 &&
                            (in.samples <= 1 || in.stride * sizeof(In) % 16 == 0);
    return in.is_batch_major() && is_aligned;
  }

  GroupLayout layout;
  Value const* values;
  BatchView<In const, DeviceSpace> in;
  BatchView<Out, DeviceSpace> out;
  ProductEpilogue<Real> epilogue;
  unsigned packs;  // a power of two
  bool reads_packs;

  WEIR_HOST_DEVICE unsigned packs_of_part() const {
    return layout.shape.group / static_cast<unsigned>(width);
  }
  WEIR_HOST_DEVICE std::size_t output_blocks() const {
    return std::size_t{Transposed ? layout.shape.groups : layout.shape.classes} * (packs_of_part() / packs);
  }
  WEIR_HOST_DEVICE std::size_t blocks() const {
    return output_blocks() * ((in.samples + Samples - 1) / Samples);
  }

  template <class Block>
  WEIR_HOST_DEVICE void run(Block const& block, unsigned char* memory) const {
    Real* const shared = reinterpret_cast<Real*>(memory);
    unsigned const blocks_of_part = packs_of_part() / packs;
    auto const which = static_cast<std::uint32_t>(block.index() % output_blocks());
    std::size_t const sample = block.index() / output_blocks() * Samples;
    std::uint32_t const own = which / blocks_of_part;
    std::uint32_t const place =
        (which % blocks_of_part * packs + block.thread() % packs) * static_cast<unsigned>(width);
    Real sum[Samples][width] = {};
    add_cells(own, place, block.thread() / packs, sample, sum);

    // Threads of a pack are `packs` apart.
    for (unsigned distance = 16; distance >= packs; distance /= 2) {
      unroll<Samples>(
          [&](int s) { unroll<width>([&](int i) { sum[s][i] += block.exchange(sum[s][i], distance); }); });
    }
    unsigned const lane = block.thread() % 32;
    unsigned const numbers = packs * width * Samples;
    if (lane < packs) {
      Real* const to = shared + block.thread() / 32 * numbers + lane * (width * Samples);
      unroll<Samples>([&](int s) { unroll<width>([&](int i) { to[s * width + i] = sum[s][i]; }); });
    }
    block.sync();
    for (unsigned at = block.thread(); at < numbers; at += threads) {
      Real total = shared[at];
      for (unsigned warp = 1; warp < warps; ++warp) total += shared[warp * numbers + at];
      unsigned const pack = at / (width * Samples);
      std::size_t const from = sample + at / width % Samples;
      std::size_t const output = std::size_t{own} * layout.shape.group +
                                 (which % blocks_of_part * packs + pack) * width + at % width;
      if (from < out.samples && output < out.features)
        out(from, output) = same_bits<Out>(finished(epilogue, output, total));
    }
  }

 private:
  /// Zeros where there are none.
  WEIR_HOST_DEVICE void read_inputs(std::size_t sample, std::size_t input, Real (&to)[width]) const {
    bool const has_sample = sample < in.samples;
    if (reads_packs && has_sample && input + width <= in.features) {
      auto const pack = *reinterpret_cast<Pack<In, width> const*>(in.data + sample * in.stride + input);
      unroll<width>([&](int i) { to[i] = as_real<Real>(pack.elements[i]); });
      return;
    }
    unroll<width>([&](int i) {
      std::size_t const from = input + static_cast<unsigned>(i);
      to[i] = has_sample && from < in.features ? as_real<Real>(in(sample, from)) : Real{0};
    });
  }

  WEIR_HOST_DEVICE void add_cells(std::uint32_t own, std::uint32_t place, std::uint32_t first,
                                  std::size_t sample, Real (&sum)[Samples][width]) const {
    constexpr std::uint32_t low_bits = width - 1;
    std::uint32_t const n = layout.shape.group;
    std::uint32_t const others = Transposed ? layout.shape.classes : layout.shape.groups;
    for (std::uint32_t other = first; other < others; other += threads / packs) {
      std::uint32_t const a = Transposed ? other : own;
      std::uint32_t const c = Transposed ? own : other;
      auto const cell = layout.cell(a, c);
      for (std::uint32_t level = 0; level < layout.shape.levels; ++level) {
        std::uint32_t const offset = layout.offset(cell, level);
        std::uint32_t const partner = place ^ (offset & ~low_bits);
        std::uint32_t const y = Transposed ? partner : place;
        Pack<Value, width> read;
        load_once(values + layout.value_index(a, c, level, y), read);
        Real factor[width];
        unroll<width>([&](int i) { factor[i] = as_real<Real>(read.elements[i]); });
        if constexpr (Transposed) exchange_in_pack(factor, offset);
        std::size_t const input = std::size_t{other} * n + partner;
        unroll<Samples>([&](int s) {
          Real numbers[width];
          read_inputs(sample + static_cast<unsigned>(s), input, numbers);
          exchange_in_pack(numbers, offset);
          unroll<width>([&](int i) { sum[s][i] = fused(factor[i], numbers[i], sum[s][i]); });
        });
      }
    }
  }
};

template <class Operation>
__global__ void __launch_bounds__(static_cast<int>(Operation::threads), Operation::blocks_at_once)
    vector_kernel(__grid_constant__ Operation const operation) {
  __shared__ alignas(16) unsigned char shared[Operation::shared_bytes];
  operation.run(DeviceBlock(), shared);
}

template <class Operation>
void launch_vector(CudaExecutor const& executor, Operation const& operation, char const* what) {
  cudaStream_t const stream = executor.stream();
  DeviceGuard const guard(executor.device());
  vector_kernel<<<blocks_of(operation, what), Operation::threads, 0, stream>>>(operation);
  check_cuda(cudaPeekAtLastError(), what);
}

}  // namespace detail
}  // namespace weir::inline v1
