#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/cuda/kernels/gradient_entries.cuh"
#include "weir/cuda/kernels/gradient_tiles.cuh"
#include "weir/cuda/kernels/gradient_wide_tiles.cuh"
#include "weir/cuda/kernels/multiply_entries.cuh"
#include "weir/cuda/kernels/multiply_tiles.cuh"
#include "weir/cuda/kernels/multiply_vector.cuh"
#include "weir/cuda/kernels/multiply_wide_tiles.cuh"
#include "weir/exec/product_arguments.hpp"

namespace weir::inline v1 {
namespace detail {

// Which kernel a product is given to.

inline ProductTuning product_tuning_of(CudaExecutor const& executor) {
  auto const attribute = [&](cudaDeviceAttr which) {
    int value = 0;
    check_cuda(cudaDeviceGetAttribute(&value, which, executor.device()), "cudaDeviceGetAttribute");
    return value;
  };
  int const capability =
      10 * attribute(cudaDevAttrComputeCapabilityMajor) + attribute(cudaDevAttrComputeCapabilityMinor);
  return product_tuning_for(capability, newest_code_for(capability));
}

/// The form in which kernels that take any layout have it.
inline GroupLayout const& entries_for(GroupLayout const& layout) {
  return layout;
}
template <class Layout>
EntryTable entries_for(Layout const& layout) {
  return EntryTable::of(layout);
}

inline bool is_aligned(void const* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) % 16 == 0;
}

/// Whether tensor cores can read lines where they are: 16 bytes at a time.
template <class Element>
bool has_aligned_lines(DeviceSamples<Element> const& samples) {
  std::size_t const lines = samples.kind == DeviceSamples<Element>::Kind::batch ? samples.samples
                            : samples.kind == DeviceSamples<Element>::Kind::forward
                                ? samples.shape.input_pixels()
                                : samples.shape.output_pixels();
  return samples.is_batch_major() && is_aligned(samples.data) &&
         (lines <= 1 || samples.stride * sizeof(Element) % 16 == 0) && lines < 0xffff'ffffu;
}

inline constexpr bool is_tensor_core_side(std::uint32_t block) {
  return block == 32 || block == 64 || block == 128;
}
/// Of the pipeline that feeds products by warpgroups: of 48 KB each for tiles of 128, of 227 KB.
inline constexpr int wide_stages = 4;

/// Calls `launch` with what `make` makes for blocks of two warpgroups, or of one.
template <class Make, class Launch>
bool with_warpgroups(ProductTuning const& tuning, Make const& make, Launch const& launch) {
  auto const of_two = make(std::integral_constant<int, 2>());
  if (is_for_one_warpgroup(of_two.blocks(), tuning)) return launch(make(std::integral_constant<int, 1>()));
  return launch(of_two);
}

/// No row of a grid has more tiles: as many, or where only the device knows that, as there are columns.
inline std::size_t most_tiles_of_row(GroupLayout const& grid) {
  return std::size_t{grid.shape.groups} * grid.shape.levels;
}
inline std::size_t most_tiles_of_row(CyclicLayout const& grid) {
  return grid.row_degree(0);
}
template <class Index>
std::size_t most_tiles_of_row(IndexedLayout<Index> const& grid) {
  return grid.inputs();
}

/// One product of some samples with the values.
template <bool Transposed, class Value, class In, class Out>
struct ProductLaunch {
  using Real = AccumulatorOf<Value>;

  CudaExecutor const& executor;
  Value const* values;
  DeviceSamples<In> in;
  BatchView<Out, DeviceSpace> out;
  ProductEpilogue<Real> epilogue;
  char const* what;

  template <class Layout>
  void operator()(Layout const& layout) const {
    (*this)(layout, product_tuning_of(executor));
  }
  template <class Layout>
  void operator()(Layout const& layout, ProductTuning const& tuning) const {
    if (in.samples == 0 || out.features == 0) return;
    if constexpr (is_tiled<Layout> && std::is_same_v<Value, In> && sizeof(Value) == 2) {
      if (tuning.stages != 0 && is_tensor_core_side(layout.block) && is_aligned(values) &&
          has_aligned_lines(in))
        return by_tiles(layout, tuning);
    }
    if constexpr (std::is_same_v<Layout, GroupLayout>) {
      using One = MultiplyVector<Value, In, Out, Transposed, 1>;
      bool const is_plain = in.kind == DeviceSamples<In>::Kind::batch;
      if (is_plain && in.samples <= tuning.few_samples && is_aligned(values) && One::takes(layout))
        return in.samples == 1 ? by_vector<1>(layout) : by_vector < sizeof(Value) == 2 ? 2 : 4 > (layout);
    }
    by_entries(layout, tuning);
  }

 private:
  template <int Samples>
  void by_vector(GroupLayout const& layout) const {
    using Multiply = MultiplyVector<Value, In, Out, Transposed, Samples>;
    BatchView<In const, DeviceSpace> const batch{in.data, in.samples, in.features, in.stride, in.order};
    launch_vector(executor,
                  Multiply{layout, values, batch, out, epilogue, Multiply::packs_for(layout),
                           Multiply::has_packs(batch)},
                  what);
  }

  template <class Layout>
  void by_entries(Layout const& layout, ProductTuning const& tuning) const {
    using Entries = std::remove_cvref_t<decltype(entries_for(layout))>;
    using Multiply = MultiplyEntries<Value, In, Out, Entries, Transposed>;
    LaneShape const shape = lane_shape(out.features, in.samples, samples_of_thread<Real>,
                                       Multiply::most_threads, tuning.wanted_blocks);
    launch_entries(executor,
                   Multiply{entries_for(layout), values, layout.value_count(), in, out, epilogue, shape},
                   what);
  }

  template <class Layout>
  void by_tiles(Layout const& layout, ProductTuning const& tuning) const {
    if (is_for_warpgroups(layout.block, in.samples, tuning) &&
        (layout.block == 64 ? wide_tiles<64>(layout, tuning) : wide_tiles<128>(layout, tuning)))
      return;
    switch (layout.block) {
      case 32:
        tiles<32, 3>(layout);
        return;
      case 64:
        tiles<64, 3>(layout);
        return;
      default:
        if (tuning.stages != 3 || !tiles<128, 3>(layout)) tiles<128, 2>(layout);
    }
  }
  template <int Side, class Layout>
  bool wide_tiles(Layout const& layout, ProductTuning const& tuning) const {
    return with_warpgroups(
        tuning,
        [&](auto warpgroups) {
          return DeviceMultiplyWideTiles<Value, Out, Side, Transposed, warpgroups(), wide_stages>{
              EntryTable::of(layout), values, layout.value_count(), in, out, epilogue};
        },
        [&](auto const& operation) { return launch_wide_products(executor, operation, what); });
  }
  template <int Side, int Stages, class Layout>
  bool tiles(Layout const& layout) const {
    using Multiply = DeviceMultiplyTiles<Value, Out, Side, Transposed, Stages>;
    return launch_tile_products(
        executor, Multiply{EntryTable::of(layout), values, layout.value_count(), in, out, epilogue}, what);
  }
};

/// One gradient of the values.
template <class In, class Real>
struct GradientLaunch {
  CudaExecutor const& executor;
  DeviceSamples<In> dy;
  DeviceSamples<In> x;
  Real* gradient;
  GradientMode mode;
  char const* what;

  template <class Layout>
  void operator()(Layout const& layout) const {
    (*this)(layout, product_tuning_of(executor));
  }
  template <class Layout>
  void operator()(Layout const& layout, ProductTuning const& tuning) const {
    bool const is_nothing = x.samples == 0 && mode == GradientMode::accumulate;
    if (layout.value_count() == 0 || is_nothing) return;
    if constexpr (is_tiled<Layout> && sizeof(In) == 2 && std::is_same_v<Real, float>) {
      if (tuning.stages != 0 && is_tensor_core_side(layout.block) && has_aligned_lines(dy) &&
          has_aligned_lines(x))
        return by_tiles(layout, tuning);
    }
    by_entries(layout, tuning);
  }

 private:
  template <class Layout>
  void by_entries(Layout const& layout, ProductTuning const& tuning) const {
    using Entries = std::remove_cvref_t<decltype(entries_for(layout))>;
    using Gradient = GradientEntries<In, Real, Entries>;
    clear_padding(layout);
    unsigned const columns = columns_for(layout);
    std::size_t const chunks = (x.features + columns - 1) / columns * x.taps;
    unsigned most_teams = staged_columns / columns;
    while (most_teams > 1 && (most_teams - 1) * std::size_t{samples_of_thread<Real>} >= x.samples)
      most_teams /= 2;
    LaneShape const shape =
        gradient_shape(dy.features, chunks, most_teams, Gradient::most_threads, tuning.wanted_blocks);
    launch_entries(executor,
                   Gradient{entries_for(layout), layout.value_count(), dy, x, gradient, mode, shape, columns},
                   what);
  }

  /// So many that a row has about as many entries among them as a thread holds; whole groups if possible.
  template <class Layout>
  static unsigned columns_for(Layout const& layout) {
    std::size_t const held = GradientEntries<In, Real, EntryTable>::held;
    std::size_t const wanted = held * layout.outputs() * layout.inputs() / layout.value_count();
    unsigned columns = 16;
    while (columns < staged_columns && 2 * columns <= wanted) columns *= 2;
    if constexpr (std::is_same_v<Layout, GroupLayout>) {
      bool const fits = layout.shape.prime == 2 && layout.shape.group <= staged_columns;
      if (fits && columns < layout.shape.group) columns = layout.shape.group;
    }
    return columns;
  }

  /// Where kernels come to live entries only.
  template <class Layout>
  void clear_padding(Layout const& layout) const {
    if (mode != GradientMode::overwrite || !EntryTable::of(layout).has_padding()) return;
    cudaStream_t const stream = executor.stream();
    DeviceGuard const guard(executor.device());
    check_cuda(cudaMemsetAsync(gradient, 0, layout.value_count() * x.taps * sizeof(Real), stream),
               "cudaMemsetAsync");
  }

  template <class Layout>
  void by_tiles(Layout const& layout, ProductTuning const& tuning) const {
    if (is_for_warpgroups(layout.block, x.samples, tuning) &&
        (layout.block == 64 ? wide_tiles<64>(layout, tuning) : wide_tiles<128>(layout, tuning)))
      return;
    switch (layout.block) {
      case 32:
        tiles<32, 3>(layout);
        return;
      case 64:
        tiles<64, 3>(layout);
        return;
      default:
        if (tuning.stages != 3 || !tiles<128, 3>(layout)) tiles<128, 2>(layout);
    }
  }
  template <int Side, class Layout>
  bool wide_tiles(Layout const& layout, ProductTuning const& tuning) const {
    clear_padding(layout);
    return with_warpgroups(
        tuning,
        [&](auto warpgroups) {
          return DeviceGradientWideTiles<In, Side, warpgroups(), wide_stages>{EntryTable::of(layout),
                                                                              layout.grid.value_count(),
                                                                              most_tiles_of_row(layout.grid),
                                                                              dy,
                                                                              x,
                                                                              gradient,
                                                                              mode};
        },
        [&](auto const& operation) { return launch_wide_products(executor, operation, what); });
  }
  template <int Side, int Stages, class Layout>
  bool tiles(Layout const& layout) const {
    using Gradient = DeviceGradientTiles<In, Side, Stages>;
    std::size_t const count = layout.grid.value_count();
    return launch_tile_products(executor, Gradient{EntryTable::of(layout), count, dy, x, gradient, mode},
                                what);
  }
};

}  // namespace detail
}  // namespace weir::inline v1
