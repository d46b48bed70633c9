#include "weir/host/masked_convolution.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <vector>

#include "host/masked_reference.hpp"
#include "weir/host/kernels/product_dispatch.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/projective_geometry.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

// What convolutions compute is held against their definition in tests/mask/conv2d.test.cpp.

TEST_CASE("a row of ones is summed by a kernel of ones, but for the edges") {
  weir::HostExecutor const exec;
  weir::GroupDesign const design{{.outputs = 4, .inputs = 4, .group = 2}};
  auto const layout = design.layout();
  weir::ConvolutionShape const shape{.width = 5, .kernel_width = 3, .padding = 1};
  weir::ConvolutionShape const flat{.width = 5, .kernel_width = 3};
  std::vector<float> const values(3 * layout.value_count(), 1.0f), x(5 * 4, 1.0f);
  std::vector<float> y(3 * 4);
  convolve_masked(exec, layout, flat, weir::view(values), weir::batch_major(x.data(), 5, 4),
                  weir::batch_major(y.data(), 3, 4));
  exec.synchronize();
  for (float value : y) CHECK(value == 6.0f);  // two live inputs, three taps
  CHECK(shape.output_height() == 3);           // padding is on both axes
}

template <class Design>
void check_what_a_stride_steps_over(Design const& design, std::size_t channels) {
  weir::HostExecutor const exec;
  auto const layout = design.layout();
  weir::ConvolutionShape const shape{.images = 3, .height = 5, .width = 6, .stride = 2};
  std::vector<float> const values(layout.value_count(), std::numeric_limits<float>::infinity());
  std::vector<float> const dy(shape.output_pixels() * channels, 1.0f);
  std::vector<float> dx(shape.input_pixels() * channels, 7.0f);
  convolve_masked_transposed(exec, layout, shape, weir::view(values),
                             weir::batch_major(dy.data(), shape.output_pixels(), channels),
                             weir::batch_major(dx.data(), shape.input_pixels(), channels));
  exec.synchronize();
  for (std::size_t i = 0; i < dx.size(); ++i) {
    std::size_t const pixel = i / channels;
    bool const is_read = pixel % shape.width % 2 == 0 && pixel / shape.width % shape.height % 2 == 0;
    CHECK(dx[i] == (is_read ? std::numeric_limits<float>::infinity() : 0.0f));
  }
}

TEST_CASE("pixels that a stride steps over have a gradient of zero, and no weight has a part in it") {
  check_what_a_stride_steps_over(weir::GroupDesign{{.outputs = 32, .inputs = 32, .group = 4}}, 32);
  check_what_a_stride_steps_over(weir::GroupDesign{{.outputs = 32, .inputs = 32, .group = 16}}, 32);
  check_what_a_stride_steps_over(weir::GroupDesign{{.outputs = 27, .inputs = 27, .group = 3}}, 27);
  check_what_a_stride_steps_over(weir::ProjectiveGeometry(5), 31);
  check_what_a_stride_steps_over(
      weir::TiledDesign(weir::GroupDesign{{.outputs = 2, .inputs = 2, .group = 2}}, 32, 32, 16), 32);
}

template <class Layout>
void check_threads(Layout const& layout, std::uint32_t height) {
  CAPTURE(layout.outputs());
  CAPTURE(layout.inputs());
  auto const order = weir::BatchOrder::batch_major;
  for (std::uint32_t stride : {1u, 2u}) {
    CAPTURE(stride);
    weir::ConvolutionShape const shape{.images = 3,
                                       .height = height,
                                       .width = 43,
                                       .kernel_height = 3,
                                       .kernel_width = 3,
                                       .stride = stride,
                                       .padding = 1};
    // The pixels that are read alike: the smallest product there is.
    std::size_t const pixels = std::size_t{3} * (height / stride) * (43 / stride);
    REQUIRE(layout.value_count() * pixels >= weir::detail::shared_from_products);
    std::vector<float> values(shape.taps() * layout.value_count());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = weir_test::number_at(1, i);
    weir_test::Batch<float> x(shape.input_pixels(), layout.inputs(), order);
    weir_test::Batch<float> dy(shape.output_pixels(), layout.outputs(), order);
    weir_test::fill_batch(x, 2);
    weir_test::fill_batch(dy, 3);
    auto const convolve = [&](std::size_t threads) {
      weir::HostExecutor const exec({.threads = threads});
      weir_test::Batch<float> y(dy.samples, dy.features, order), dx(x.samples, x.features, order);
      std::vector<float> gradient(values.size());
      convolve_masked(exec, layout, shape, weir::view(values), x.constant(), y.view());
      convolve_masked_transposed(exec, layout, shape, weir::view(values), dy.constant(), dx.view());
      masked_convolution_gradient(exec, layout, shape, dy.constant(), x.constant(), weir::view(gradient),
                                  weir::GradientMode::overwrite);
      exec.synchronize();
      return std::vector{y.elements, dx.elements, gradient};
    };
    auto const one = convolve(1);
    CHECK(convolve(2) == one);
    CHECK(convolve(3) == one);
  }
}

/// One image alone and as the first of five, with weights of which one is infinite.
template <class Design>
void check_images(Design const& design) {
  weir::HostExecutor const exec;
  auto const layout = design.layout();
  weir::ConvolutionShape shape{.height = 1, .width = 3, .kernel_height = 3, .kernel_width = 3, .padding = 1};
  for (std::size_t infinite = 0; infinite < shape.taps(); ++infinite) {
    CAPTURE(infinite);
    std::vector<float> values(shape.taps() * layout.value_count(), 0.5f);
    values[infinite * layout.value_count() + layout.value_index(0, 0)] =
        std::numeric_limits<float>::infinity();
    std::vector<float> first;
    for (std::uint32_t const images : {1u, 5u}) {
      shape.images = images;
      std::size_t const pixels = shape.input_pixels();
      std::vector<float> const x(pixels * layout.inputs(), 1.0f), dy(pixels * layout.outputs(), 1.0f);
      std::vector<float> y(dy.size()), dx(x.size());
      convolve_masked(exec, layout, shape, weir::view(values),
                      weir::batch_major(x.data(), pixels, layout.inputs()),
                      weir::batch_major(y.data(), pixels, layout.outputs()));
      convolve_masked_transposed(exec, layout, shape, weir::view(values),
                                 weir::batch_major(dy.data(), pixels, layout.outputs()),
                                 weir::batch_major(dx.data(), pixels, layout.inputs()));
      exec.synchronize();
      std::vector<float> of_image(y.data(), y.data() + 3 * layout.outputs());
      of_image.insert(of_image.end(), dx.data(), dx.data() + 3 * layout.inputs());
      if (images == 1) first = of_image;
      bool is_same = true;
      for (std::size_t i = 0; i < first.size(); ++i)
        is_same =
            is_same && (first[i] == of_image[i] || (first[i] != first[i] && of_image[i] != of_image[i]));
      CHECK(is_same);
    }
  }
}

TEST_CASE("an image gives the same alone and among others, whatever the weights are") {
  check_images(weir::GroupDesign{{.outputs = 6, .inputs = 9, .group = 3}});
  check_images(weir::GroupDesign{{.outputs = 16, .inputs = 20, .group = 4}});
  check_images(weir::GroupDesign{{.outputs = 40, .inputs = 32, .group = 16}});
  check_images(weir::ProjectiveGeometry(5));
  check_images(weir::TiledDesign(weir::GroupDesign{{.outputs = 2, .inputs = 2, .group = 2}}, 32, 32, 16));
}

TEST_CASE("convolutions have the same bits for any number of threads") {
  check_threads(weir::GroupDesign{{.outputs = 70, .inputs = 50, .group = 4}}.layout(), 11);
  check_threads(weir::GroupDesign{{.outputs = 100, .inputs = 70, .group = 16}}.layout(), 17);
  check_threads(weir::GroupDesign{{.outputs = 50, .inputs = 40, .group = 3}}.layout(), 13);
  check_threads(weir::ProjectiveGeometry(5).layout(), 49);
  weir::GroupDesign const grid{{.outputs = 4, .inputs = 4, .group = 4}};
  check_threads(weir::TiledDesign(grid, 60, 50, 16).layout(), 11);
}

TEST_CASE("shapes and sizes that do not belong together are refused") {
  weir::HostExecutor const exec;
  weir::GroupDesign const design{{.outputs = 4, .inputs = 4, .group = 2}};
  auto const layout = design.layout();
  std::vector<float> const values(layout.value_count()), x(20);
  std::vector<float> y(20);
  auto const convolve = [&](weir::ConvolutionShape shape, std::size_t pixels) {
    convolve_masked(exec, layout, shape, weir::view(values), weir::batch_major(x.data(), 5, 4),
                    weir::batch_major(y.data(), pixels, 4));
  };
  convolve({.width = 5}, 5);
  CHECK_THROWS_WITH_AS(convolve({.width = 5, .kernel_width = 6}, 5),
                       "convolve_masked: a kernel of 1 x 6 does not fit an image of 1 x 5",
                       weir::ContractViolation);
  CHECK_THROWS_AS(convolve({.width = 5, .stride = 0}, 5), weir::ContractViolation);
  CHECK_THROWS_AS(convolve({.width = 5}, 4), weir::ContractViolation);
  CHECK_THROWS_AS(convolve({.width = 4}, 4), weir::ContractViolation);
  CHECK_THROWS_AS(convolve({.width = 5, .kernel_width = 2}, 4), weir::ContractViolation);  // the values
  exec.synchronize();
}

}  // namespace
