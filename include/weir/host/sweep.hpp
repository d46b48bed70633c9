#pragma once

#include <cstddef>

#include "weir/core/smaller.hpp"
#include "weir/host/lanes.hpp"
#include "weir/host/thread_team.hpp"

namespace weir::inline v1 {
namespace detail {

// A kernel has `run<VectorBytes>(begin, end)`, always inlined. It is compiled here for each instruction set
// beyond the one that the program is compiled for, and the processor is asked which of them to call.

/// The widest vectors that all code of this program may use.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
inline constexpr int baseline_bytes = 64;
#elif defined(__AVX2__)
inline constexpr int baseline_bytes = 32;
#else
inline constexpr int baseline_bytes = 16;
#endif

#if defined(__x86_64__)
template <class Kernel>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prfchw"))) void run_avx512(Kernel const& kernel,
                                                                                     std::size_t begin,
                                                                                     std::size_t end) {
  kernel.template run<64>(begin, end);
}

template <class Kernel>
__attribute__((target("avx2,prfchw"))) void run_avx2(Kernel const& kernel, std::size_t begin,
                                                     std::size_t end) {
  kernel.template run<32>(begin, end);
}

inline bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif

template <class Kernel>
void run_baseline(Kernel const& kernel, std::size_t begin, std::size_t end) {
  kernel.template run<baseline_bytes>(begin, end);
}

template <class Kernel>
void run_widest(Kernel const& kernel, std::size_t begin, std::size_t end) {
#if defined(__x86_64__)
  if constexpr (baseline_bytes < 64) {
    if (has_avx512()) return run_avx512(kernel, begin, end);
  }
  if constexpr (baseline_bytes < 32) {
    if (__builtin_cpu_supports("avx2")) return run_avx2(kernel, begin, end);
  }
#endif
  run_baseline(kernel, begin, end);
}

/// Makes a kernel of `Step::step<Count>(i)`, which works on the elements i to i + Count of its own, and whose
/// `Step::Real` is the type it computes in.
template <class Step>
struct Elementwise {
  Step step;

  template <int VectorBytes>
  [[gnu::always_inline]] void run(std::size_t begin, std::size_t end) const {
    constexpr std::size_t count = VectorBytes / sizeof(typename Step::Real);
    Step const here = step;  // a copy, which no store of the step can change
    std::size_t i = begin;
    for (std::size_t whole = (end - begin) / count; whole != 0; --whole, i += count)
      here.template step<count>(i);
    for (std::size_t rest = (end - begin) % count; rest != 0; --rest, ++i) here.template step<1>(i);
  }
};

/// Where a loop starts to be worth sharing among threads, in bytes moved, the least that a thread takes at a
/// time, and how often one takes: some threads are slower, but memory is fastest in long runs.
inline constexpr std::size_t shared_from_bytes = std::size_t{256} << 10;
inline constexpr std::size_t least_block_bytes = std::size_t{128} << 10;
inline constexpr std::size_t blocks_per_thread = 8;

/// Calls `f(begin, end)` for parts of 0..size, where an element moves `bytes` bytes. Which thread takes what
/// must make no difference to the result.
template <class Function>
void share(ThreadTeam& team, std::size_t size, std::size_t bytes, Function const& f) {
  if (team.size() == 1 || size < shared_from_bytes / bytes) return f(std::size_t{0}, size);
  std::size_t const least = larger(least_block_bytes / bytes, size / (team.size() * blocks_per_thread));
  std::size_t const block = (least + 1023) / 1024 * 1024;
  team.run((size + block - 1) / block,
           [&](std::size_t index) { f(index * block, smaller(size, (index + 1) * block)); });
}

template <class Kernel>
void sweep(ThreadTeam& team, std::size_t size, std::size_t bytes, Kernel const& kernel) {
  share(team, size, bytes, [&](std::size_t begin, std::size_t end) { run_widest(kernel, begin, end); });
}

template <class Step>
void sweep_elementwise(ThreadTeam& team, std::size_t size, std::size_t bytes, Step const& step) {
  sweep(team, size, bytes, Elementwise<Step>{step});
}

}  // namespace detail
}  // namespace weir::inline v1
