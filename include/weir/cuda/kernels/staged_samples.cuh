#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/access.cuh"
#include "weir/cuda/kernels/device_samples.cuh"
#include "weir/cuda/kernels/product_tuning.cuh"
#include "weir/cuda/kernels/unroll.cuh"

namespace weir::inline v1 {
namespace detail {

/// Fused in one rounding.
WEIR_HOST_DEVICE inline float fused(float left, float right, float sum) {
#if defined(__CUDA_ARCH__)
  return __fmaf_rn(left, right, sum);
#else
  return __builtin_fmaf(left, right, sum);
#endif
}
WEIR_HOST_DEVICE inline double fused(double left, double right, double sum) {
#if defined(__CUDA_ARCH__)
  return __fma_rn(left, right, sum);
#else
  return __builtin_fma(left, right, sum);
#endif
}

/// Some columns of some samples in shared memory: for each team of threads, and each column, the numbers of
/// the team's samples lie side by side.
template <class Real>
struct StagedSamples {
  static constexpr int samples = samples_of_thread<Real>;
  static constexpr int line = static_cast<int>(staged_bytes_of_column / sizeof(Real));
  static constexpr int wide = full_width<Real>;
  using Wide = Pack<Real, wide>;

  static constexpr unsigned most_lines = 256;  // samples of all teams
  static constexpr unsigned bytes =
      staged_columns * staged_bytes_of_column + most_lines * sizeof(std::size_t);

  Real* numbers;       // 16-byte aligned
  std::size_t* lines;  // where each sample lies
  unsigned columns;    // of a chunk; a power of two, as all that a block is divided in
  unsigned teams;

  WEIR_HOST_DEVICE static StagedSamples in(unsigned char* shared, unsigned columns, unsigned teams) {
    auto* const numbers = reinterpret_cast<Real*>(shared);
    auto* const lines = reinterpret_cast<std::size_t*>(shared + staged_columns * staged_bytes_of_column);
    return {numbers, lines, columns, teams};
  }

  /// Finds the samples from `first` on. Behind it, and before it where `stage` has been called, a `sync`.
  template <class Block, class In>
  WEIR_HOST_DEVICE void find(Block const& block, DeviceSamples<In> const& in, std::size_t first,
                             std::uint32_t tap) const {
    for (unsigned i = block.thread(); i < teams * samples; i += block.threads()) {
      lines[i] = in.line(first + i, tap);
    }
  }

  /// Reads `count` columns from `first` on, zeros where there is no sample.
  template <class Block, class In>
  WEIR_HOST_DEVICE void stage(Block const& block, DeviceSamples<In> const& in, std::size_t first,
                              unsigned count) const {
    unsigned const packs = teams * (samples / wide);
    bool const by_sample = in.is_batch_major();
    // Neighbours read what lies side by side.
    unsigned const fast = by_sample ? columns : packs;
    unsigned const shift = log2_of(fast);
    for (unsigned i = block.thread(); i < columns * packs; i += block.threads()) {
      unsigned const low = i & (fast - 1);
      unsigned const high = i >> shift;
      unsigned const column = by_sample ? low : high;
      unsigned const pack = by_sample ? high : low;
      if (column >= count) continue;
      Wide to;
      unroll<wide>([&](int j) {
        std::size_t const at = lines[pack * wide + static_cast<unsigned>(j)];
        std::size_t const place =
            by_sample ? at * in.stride + first + column : (first + column) * in.stride + at;
        to.elements[j] = at == DeviceSamples<In>::outside ? Real{0} : as_real<Real>(in.data[place]);
      });
      unsigned const team = pack / (samples / wide);
      write(to, (team * columns + column) * line + pack % (samples / wide) * wide);
    }
  }

  /// Some samples of a column.
  WEIR_HOST_DEVICE Wide read(unsigned at) const { return *reinterpret_cast<Wide const*>(numbers + at); }
  WEIR_HOST_DEVICE void write(Wide const& from, unsigned at) const {
    *reinterpret_cast<Wide*>(numbers + at) = from;
  }
  WEIR_HOST_DEVICE unsigned place(unsigned team, unsigned column) const {
    return (team * columns + column) * line;
  }

 private:
  WEIR_HOST_DEVICE static unsigned log2_of(unsigned power) {
    unsigned shift = 0;
    while (1u << shift < power) ++shift;
    return shift;
  }
};

}  // namespace detail
}  // namespace weir::inline v1
