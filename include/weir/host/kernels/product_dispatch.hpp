#pragma once

#include <cstddef>

#include "weir/host/sweep.hpp"

namespace weir::inline v1 {
namespace detail {

// As in sweep.hpp, with fused multiply-add, which every processor with AVX2 has.

#if defined(__x86_64__)
template <class Kernel>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma"))) void multiply_avx512(Kernel const& kernel,
                                                                                       std::size_t part) {
  kernel.template run<64>(part);
}

template <class Kernel>
__attribute__((target("avx2,fma"))) void multiply_avx2(Kernel const& kernel, std::size_t part) {
  kernel.template run<32>(part);
}
#endif

#if defined(__x86_64__)
inline bool has_avx2_and_fma() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
/// Whether kernels that permute lanes are worth it.
inline bool permutes_lanes() {
  return has_avx512() || has_avx2_and_fma();
}
#else
inline bool permutes_lanes() {
  return false;
}
#endif

#if defined(__FMA__)
inline constexpr int baseline_product_bytes = baseline_bytes;
#else
inline constexpr int baseline_product_bytes = 16;
#endif

/// Calls `kernel.run<VectorBytes>(part)` with the widest vectors that the processor has.
template <class Kernel>
void multiply_widest(Kernel const& kernel, std::size_t part) {
#if defined(__x86_64__)
  if constexpr (baseline_product_bytes < 64) {
    if (has_avx512()) return multiply_avx512(kernel, part);
  }
  if constexpr (baseline_product_bytes < 32) {
    if constexpr (Kernel::permutes) return multiply_avx2(kernel, part);
    if (has_avx2_and_fma()) return multiply_avx2(kernel, part);
  }
#endif
  if constexpr (!Kernel::permutes || baseline_product_bytes > 16) {
    kernel.template run<baseline_product_bytes>(part);
  }
}

/// Below so many multiplications a product is not shared among threads.
inline constexpr std::size_t shared_from_products = std::size_t{1} << 18;

/// How the outputs of a product are divided. A part is some outputs for some samples; which thread takes it,
/// and how large it is, makes no difference to any sum.
struct ProductParts {
  std::size_t block = 1;    // outputs
  std::size_t blocks = 0;   // ceil(outputs / block)
  std::size_t samples = 0;  // of a part
  std::size_t sample_parts = 0;

  /// Blocks of at most `largest` outputs, a multiple of `unit`; samples in multiples of 16, at most
  /// `most_samples`.
  ProductParts(std::size_t outputs, std::size_t largest, std::size_t unit, std::size_t all_samples,
               std::size_t threads, std::size_t most_samples = static_cast<std::size_t>(-1)) {
    block = largest / unit * unit;
    if (block == 0) block = unit;
    std::size_t const wanted = threads == 1 ? 1 : 6 * threads;
    blocks = larger((outputs + block - 1) / block, 1);
    sample_parts = larger(smaller((all_samples + 15) / 16, (wanted + blocks - 1) / blocks), 1);
    if (all_samples > most_samples) {
      sample_parts = larger(sample_parts, (all_samples + most_samples - 1) / most_samples);
    }
    samples = ((all_samples + sample_parts - 1) / sample_parts + 15) / 16 * 16;
    samples = larger(samples, 16);
    sample_parts = larger((all_samples + samples - 1) / samples, 1);
    while (block > unit && (outputs + block - 1) / block * sample_parts < wanted) {
      block = larger(unit, block / 2 / unit * unit);
    }
    blocks = (outputs + block - 1) / block;
  }

  std::size_t count() const { return blocks * sample_parts; }
};

/// Calls `kernel.run<VectorBytes>(part)` for all parts.
template <class Kernel>
void multiply_parts(ThreadTeam& team, std::size_t parts, Kernel const& kernel) {
  if (parts == 1) return multiply_widest(kernel, 0);
  team.run(parts, [&](std::size_t part) { multiply_widest(kernel, part); });
}

}  // namespace detail
}  // namespace weir::inline v1
