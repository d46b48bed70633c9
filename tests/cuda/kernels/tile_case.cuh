#pragma once

// Products of tiles by kernels that tensor cores have, against their definitions.

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "cuda/kernels/product_case.cuh"
#include "weir/exec/masked_product.hpp"

namespace play {

/// Lines begin at multiples of 16 bytes.
template <class Element>
struct AlignedBatch {
  AlignedBatch(weir_test::Batch<Element> const& batch)
      : memory(batch.elements), view(there(batch.constant())) {
    view.data = memory.data;
  }
  Aligned<Element> memory;
  weir::BatchView<Element const, weir::DeviceSpace> view;
};
inline std::size_t room_for(std::size_t features) {
  return (8 - features % 8) % 8 + 8;
}

inline weir::TiledDesign<weir::GroupDesign> tile_design(std::size_t down, std::size_t across, std::uint32_t n,
                                                        std::uint32_t side, std::size_t cut_outputs,
                                                        std::size_t cut_inputs) {
  return {weir::GroupDesign{{.outputs = down, .inputs = across, .group = n}}, down * side - cut_outputs,
          across * side - cut_inputs, side};
}

/// Both products of a batch by kernels that are played by `play(operation)`, into batches of `order`.
template <class Element, class Forward, class Backward, class Layout, class Play>
void check_products(Layout const& layout, std::uint64_t seed, weir::ConvolutionShape const* shape,
                    std::size_t samples, double tolerance, Play const& play,
                    weir::BatchOrder order = weir::BatchOrder::batch_major) {
  CAPTURE(seed);
  using weir::detail::DeviceSamples;
  auto const entries = weir::detail::EntryTable::of(layout);
  auto const values = values_of<Element>(layout, shape == nullptr ? 1 : shape->taps(), seed);
  Aligned<Element> const aligned(values);
  Reference<Element, Layout> const reference{layout, shape, values};
  std::size_t const in = shape == nullptr ? samples : shape->input_pixels();
  std::size_t const out = shape == nullptr ? samples : shape->output_pixels();
  auto const by_sample = weir::BatchOrder::batch_major;
  weir_test::Batch<Element> x(in, layout.inputs(), by_sample, room_for(layout.inputs())),
      y(out, layout.outputs(), order, seed % 2);
  weir_test::Batch<Element> dy(out, layout.outputs(), by_sample, room_for(layout.outputs())),
      dx(in, layout.inputs(), order, 1);
  weir_test::fill_batch(x, seed + 1);
  weir_test::fill_batch(dy, seed + 2);
  AlignedBatch<Element> const x_there(x), dy_there(dy);
  auto const source = [&](auto const& view, bool transposed) {
    return shape == nullptr ? DeviceSamples<Element>::of(view)
                            : DeviceSamples<Element>::of(view, *shape, transposed);
  };
  std::size_t const count = layout.value_count();
  play(Forward{entries, aligned.data, count, source(x_there.view, false), there(y.view()), {}});
  CHECK(largest_error(reference.product(x, out), y) <= tolerance);
  play(Backward{entries, aligned.data, count, source(dy_there.view, true), there(dx.view()), {}});
  CHECK(largest_error(reference.transposed(dy, in), dx) <= tolerance);
}

/// The gradient, written and added, by the kernel that `make(entries, tile count, dy, x, gradient, mode)`
/// gives.
template <class Element, class Layout, class Make, class Play>
void check_gradient(Layout const& layout, std::uint64_t seed, weir::ConvolutionShape const* shape,
                    std::size_t samples, float before, Make const& make, Play const& play) {
  CAPTURE(seed);
  using weir::GradientMode;
  using weir::detail::DeviceSamples;
  std::uint32_t const taps = shape == nullptr ? 1 : shape->taps();
  auto const by_sample = weir::BatchOrder::batch_major;
  weir_test::Batch<Element> x(shape == nullptr ? samples : shape->input_pixels(), layout.inputs(), by_sample,
                              room_for(layout.inputs()));
  weir_test::Batch<Element> dy(shape == nullptr ? samples : shape->output_pixels(), layout.outputs(),
                               by_sample, room_for(layout.outputs()));
  weir_test::fill_batch(x, seed + 1);
  weir_test::fill_batch(dy, seed + 2);
  AlignedBatch<Element> const x_there(x), dy_there(dy);
  std::vector<Element> const none;
  auto expected = Reference<Element, Layout>{layout, shape, none}.gradient(dy, x);
  std::vector<float> gradient(taps * layout.value_count(), before);
  auto const run = [&](GradientMode mode) {
    play(make(weir::detail::EntryTable::of(layout), layout.grid.value_count(),
              DeviceSamples<Element>::of(dy_there.view),
              shape == nullptr ? DeviceSamples<Element>::of(x_there.view)
                               : DeviceSamples<Element>::of(x_there.view, *shape, false),
              gradient.data(), mode));
  };
  run(GradientMode::overwrite);
  CHECK(largest_error(expected, gradient) <= 1e-5);  // also where padding must be zero
  run(GradientMode::accumulate);
  for (double& value : expected.value) value *= 2;
  CHECK(largest_error(expected, gradient) <= 1e-5);
}

}  // namespace play
