#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include "weir/host/masked_product.hpp"

// The library takes the widest vectors that the processor has. Compiled for AVX2 and no more, these
// benchmarks measure its code for AVX2 on any processor, part by part on the thread that calls.

namespace bench {

#if !defined(__AVX2__) || !defined(__FMA__) || defined(__AVX512F__)

using Executor = weir::HostExecutor;

/// Calls `f(point)` on the thread of a stream, where a model calls products, too: none of what is measured
/// waits for a thread to wake.
template <class Function>
void on_stream(Function const& f) {
  Executor const exec;
  exec.submit([&](Executor const& point) { f(point); });
  exec.synchronize();
}

/// Whether what is measured is the code for AVX2.
inline bool measures_avx2() {
  return !weir::detail::has_avx512();
}

#else

/// Stands where the products take an executor.
struct Avx2 {
  void synchronize() const {}
};

using Executor = Avx2;

template <class Function>
void on_stream(Function const& f) {
  f(Executor());
}

inline bool measures_avx2() {
  return true;
}

template <class Kernel>
void run_parts(std::size_t parts, Kernel const& kernel) {
  for (std::size_t part = 0; part < parts; ++part) weir::detail::multiply_avx2(kernel, part);
}

inline weir::detail::SampleSource<float> source_of(weir::HostBatch<float const> const& batch) {
  return batch;
}

template <bool Transposed, class Layout>
void multiply_by_avx2(Layout const& layout, float const* values, weir::HostBatch<float const> const& in,
                      weir::HostBatch<float> const& out) {
  using namespace weir::detail;
  auto const source = source_of(in);
  if constexpr (std::is_same_v<Layout, weir::GroupLayout>) {
    using Once = MultiplyGroupOnce<float, float, float>;
    if (Transposed && Once::takes(layout, source)) {
      auto const parts = Once::parts_of(layout, 1);
      return run_parts(parts.count(), Once{layout, values, source, out, {}, parts});
    }
    using Kernel = MultiplyGroup<float, float, float, Transposed>;
    auto const parts = Kernel::parts_of(layout, in.samples, 1);
    run_parts(parts.count(), Kernel{layout, values, source, out, {}, parts});
  } else if constexpr (is_tiled<Layout>) {
    using Kernel = MultiplyTiles<float, float, float, Transposed>;
    auto const tiles = entries_of<Transposed>(layout.grid);
    auto const parts = Kernel::parts_of(tiles, layout.block, in.samples, 1);
    run_parts(parts.count(), Kernel{tiles, layout.block, values, source, out, {}, parts});
  } else {
    using Kernel = MultiplyCyclic<float, float, float, Transposed>;
    auto const parts = Kernel::parts_of(layout, in.samples, 1);
    run_parts(parts.count(), Kernel{layout, values, source, out, {}, parts});
  }
}

template <class Layout, class Values>
void multiply_masked(Avx2, Layout const& layout, Values const& values, weir::HostBatch<float const> const& x,
                     weir::HostBatch<float> const& y) {
  multiply_by_avx2<false>(layout, values.data(), x, y);
}

template <class Layout, class Values>
void multiply_masked_transposed(Avx2, Layout const& layout, Values const& values,
                                weir::HostBatch<float const> const& dy, weir::HostBatch<float> const& dx) {
  multiply_by_avx2<true>(layout, values.data(), dy, dx);
}

template <class Layout, class Values>
void masked_weight_gradient(Avx2, Layout const& layout, weir::HostBatch<float const> const& dy,
                            weir::HostBatch<float const> const& x, Values const& gradient,
                            weir::GradientMode mode) {
  using namespace weir::detail;
  float* const to = gradient.data();
  if constexpr (std::is_same_v<Layout, weir::GroupLayout>) {
    using Kernel = GradientGroup<float, float>;
    auto const parts = Kernel::parts_of(layout, x.samples, 1);
    run_parts(parts.count(), Kernel{layout, source_of(dy), source_of(x), 0, to, mode, parts});
  } else if constexpr (is_tiled<Layout>) {
    using Kernel = GradientTiles<float, float>;
    auto const tiles = entries_of<false>(layout.grid);
    bool const has_padding = layout.grid.nnz() != layout.grid.value_count();
    if (has_padding && mode == weir::GradientMode::overwrite) std::fill_n(to, layout.value_count(), 0.0f);
    auto const parts = Kernel::parts_of(tiles, layout.block, x.samples, 1);
    run_parts(parts.count(), Kernel{tiles, layout.block, source_of(dy), source_of(x), 0, to, mode, parts});
  } else {
    using Kernel = GradientCyclic<float, float>;
    auto const parts = Kernel::parts_of(layout, x.samples, 1);
    run_parts(parts.count(), Kernel{layout, source_of(dy), source_of(x), 0, to, mode, parts});
  }
}

#endif

}  // namespace bench
