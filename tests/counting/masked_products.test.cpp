// Products and convolutions with a mask take no memory on any thread: what they pack lies on its stack.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include "counting/counters.hpp"
#include "host/masked_reference.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_convolution.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/conv2d.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/indexed.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

using weir::BatchOrder;
using Batch = weir_test::Batch<float>;

/// Of all threads.
template <class Function>
std::size_t allocations_of(weir::HostExecutor const& exec, Function const& enqueue) {
  exec.synchronize();
  std::size_t const before = counters::allocations;
  enqueue();
  exec.synchronize();
  return counters::allocations - before;
}

/// Calls f with an executor and a mask of every form that kernels know. A matrix as large as the first would
/// not fit the stack of a thread either.
template <class Function>
void for_each_form(Function const& f) {
  for (std::size_t threads : {1u, 3u}) {
    CAPTURE(threads);
    weir::HostExecutor const exec({.threads = threads});
    f(exec, weir::GroupDesign{{.outputs = 1500, .inputs = 2000, .group = 16}}.layout());
    f(exec, weir::GroupDesign{{.outputs = 250, .inputs = 300, .group = 4, .levels = 2}}.layout());
    f(exec, weir::GroupDesign{{.outputs = 250, .inputs = 300, .group = 9}}.layout());
    weir::ProjectiveGeometry const plane(19);
    f(exec, plane.layout());
    f(exec, weir::IndexedDesign<std::uint16_t>::of(plane).layout());
    weir::GroupDesign const grid{{.outputs = 8, .inputs = 12, .group = 4}};
    f(exec, weir::TiledDesign(grid, 8 * 32 - 9, 12 * 32 - 30, 32).layout());
  }
}

TEST_CASE("products with a mask allocate nothing, and so have no buffer of outputs times inputs") {
  for_each_form([](weir::HostExecutor const& exec, auto const& layout) {
    std::vector<float> const values(layout.value_count(), 0.5f);
    std::vector<float> gradient(values.size());
    for (BatchOrder order : {BatchOrder::batch_major, BatchOrder::feature_major}) {
      CAPTURE(layout.outputs());
      CAPTURE((order == BatchOrder::batch_major));
      Batch x(70, layout.inputs(), order), dx = x, y(70, layout.outputs(), order), dy = y;
      CHECK(allocations_of(exec, [&] {
              multiply_masked(exec, layout, weir::view(values), x.constant(), y.view());
            }) == 0);
      CHECK(allocations_of(exec, [&] {
              multiply_masked_transposed(exec, layout, weir::view(values), dy.constant(), dx.view());
            }) == 0);
      for (auto mode : {weir::GradientMode::overwrite, weir::GradientMode::accumulate}) {
        CHECK(allocations_of(exec, [&] {
                masked_weight_gradient(exec, layout, dy.constant(), x.constant(), weir::view(gradient), mode);
              }) == 0);
      }
    }
  });
}

TEST_CASE("convolutions with a mask allocate as little, and unfold nothing") {
  for_each_form([](weir::HostExecutor const& exec, auto const& layout) {
    for (std::uint32_t stride : {1u, 2u}) {
      CAPTURE(layout.outputs());
      CAPTURE(stride);
      weir::ConvolutionShape const s{.images = 1,
                                     .height = 7,
                                     .width = 5,
                                     .kernel_height = 2,
                                     .kernel_width = 3,
                                     .stride = stride,
                                     .padding = 1};
      std::vector<float> const values(s.taps() * layout.value_count(), 0.5f);
      std::vector<float> gradient(values.size());
      Batch x(s.input_pixels(), layout.inputs(), BatchOrder::batch_major), dx = x;
      Batch y(s.output_pixels(), layout.outputs(), BatchOrder::batch_major), dy = y;
      CHECK(allocations_of(exec, [&] {
              convolve_masked(exec, layout, s, weir::view(values), x.constant(), y.view());
            }) == 0);
      CHECK(allocations_of(exec, [&] {
              convolve_masked_transposed(exec, layout, s, weir::view(values), dy.constant(), dx.view());
            }) == 0);
      for (auto mode : {weir::GradientMode::overwrite, weir::GradientMode::accumulate}) {
        CHECK(allocations_of(exec, [&] {
                masked_convolution_gradient(exec, layout, s, dy.constant(), x.constant(),
                                            weir::view(gradient), mode);
              }) == 0);
      }
    }
  });
}

TEST_CASE("a convolution layer checks what it is given without memory") {
  weir::HostExecutor const exec;
  weir::BIBDConv2d const layer({.inputs = 8,
                                .outputs = 8,
                                .padding = 1,
                                .groups = 2,
                                .activation = weir::Activation::relu,
                                .has_bias = true});
  auto const bound = layer.on(exec);
  auto const shape = layer.shape(2, 5, 5);
  std::vector<float> const values(layer.value_count(), 0.5f), bias(layer.bias_count(), 0.5f);
  std::vector<float> gradient(values.size()), bias_gradient(bias.size());
  Batch x(shape.input_pixels(), 8, BatchOrder::batch_major), dx = x, y = x, dy = x;
  CHECK(allocations_of(exec, [&] {
          bound.forward<float>(exec, shape, weir::view(values), weir::view(bias), x.constant(), y.view());
          bound.backward<float>(exec, shape, weir::view(values), x.constant(), y.constant(), dy.view(),
                                dx.view(), weir::view(gradient), weir::view(bias_gradient),
                                weir::GradientMode::overwrite);
        }) == 0);
}

}  // namespace
