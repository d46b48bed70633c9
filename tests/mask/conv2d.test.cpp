#include "weir/mask/conv2d.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "fault/sanitizers.hpp"
#include "host/masked_reference.hpp"
#include "weir/exec/cyclic_layout.hpp"
#include "weir/exec/group_layout.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_convolution.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/dual.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/steiner_triple.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using weir_test::Batch;

/// Calls f(output pixel, output channel, input pixel, input channel, value) for all that a convolution
/// multiplies, as its definition says.
template <class Function>
void for_each_product(weir::BIBDConv2d<> const& conv, weir::ConvolutionShape const& s, Function const& f) {
  auto const& o = conv.options();
  std::size_t const inputs = o.inputs / o.groups, outputs = o.outputs / o.groups;
  for (std::size_t g = 0; g < o.groups; ++g) {
    auto const& mask = conv.mask(g);
    for (std::size_t row = 0; row < outputs; ++row) {
      for (std::size_t slot = 0; slot < mask.row_degree(row); ++slot) {
        for (std::int64_t v = 0; v < s.kernel_height; ++v) {
          for (std::int64_t u = 0; u < s.kernel_width; ++u) {
            auto const tap = static_cast<std::size_t>(v * s.kernel_width + u);
            std::size_t const value =
                conv.first_value(g) + tap * mask.value_count() + mask.value_index(row, slot);
            for (std::size_t pixel = 0; pixel < s.output_pixels(); ++pixel) {
              std::size_t const image = pixel / (s.output_height() * s.output_width());
              auto const y = static_cast<std::int64_t>(pixel / s.output_width() % s.output_height());
              auto const x = static_cast<std::int64_t>(pixel % s.output_width());
              std::int64_t const from_y = y * s.stride - s.padding + v * s.dilation;
              std::int64_t const from_x = x * s.stride - s.padding + u * s.dilation;
              if (from_y < 0 || from_y >= s.height || from_x < 0 || from_x >= s.width) continue;
              f(pixel, g * outputs + row,
                (image * s.height + static_cast<std::size_t>(from_y)) * s.width +
                    static_cast<std::size_t>(from_x),
                g * inputs + mask.column(row, slot), value);
            }
          }
        }
      }
    }
  }
}

/// Sums of 16-bit elements are in float: `tolerance` is of results.
template <class Element>
void check(weir::Conv2dOptions const& options, std::uint32_t height, std::uint32_t width,
           double tolerance = 1e-5, std::uint32_t images = 2) {
  using Real = weir::AccumulatorOf<Element>;
  CAPTURE(options.inputs);
  CAPTURE(options.outputs);
  CAPTURE(options.kernel_height);
  CAPTURE(options.kernel_width);
  CAPTURE(options.stride);
  CAPTURE(options.padding);
  CAPTURE(options.dilation);
  CAPTURE(options.groups);
  weir::HostExecutor const exec;
  weir::BIBDConv2d const conv(options);
  auto const bound = conv.on(exec);
  auto const s = conv.shape(images, height, width);
  std::vector<float> initial(conv.value_count());
  std::vector<Real> gradient(initial.size(), Real{3}), bias_gradient(conv.bias_count());
  std::vector<Real> const bias(conv.bias_count(), Real(0.5f));
  conv.initialise(std::span(initial), {.seed = 9});
  std::vector<Element> values;
  for (float const value : initial) values.push_back(Element(value));
  auto const order = weir::BatchOrder::batch_major;
  Batch<Element> x(s.input_pixels(), options.inputs, order, 3), dx(s.input_pixels(), options.inputs, order);
  Batch<Element> y(s.output_pixels(), options.outputs, order, 1);
  Batch<Element> dy(s.output_pixels(), options.outputs, order);
  weir_test::fill_batch(x, 1);
  weir_test::fill_batch(dy, 2);
  Batch<Element> passed = dy;  // of the gradient of y
  bound.template forward<Element>(exec, s, weir::view(values), weir::view(bias), x.constant(), y.view());
  bound.template backward<Element>(exec, s, weir::view(values), x.constant(), y.constant(), dy.view(),
                                   dx.view(), weir::view(gradient), weir::view(bias_gradient),
                                   weir::GradientMode::overwrite);
  exec.synchronize();

  weir_test::Expected to_y(s.output_pixels() * options.outputs), to_dx(s.input_pixels() * options.inputs),
      to_gradient(values.size());
  for (std::size_t i = 0; i < to_y.value.size(); ++i) {
    if (!bias.empty()) to_y.add(i, bias[i % options.outputs]);
  }
  bool const is_gated = options.activation == weir::Activation::relu;
  for (std::size_t pixel = 0; pixel < s.output_pixels(); ++pixel) {
    for (std::size_t output = 0; output < options.outputs; ++output) {
      if (is_gated && !(y(pixel, output) > 0)) passed.view()(pixel, output) = Element(0.0f);
    }
  }
  for_each_product(
      conv, s,
      [&](std::size_t pixel, std::size_t output, std::size_t from, std::size_t input, std::size_t value) {
        double const weight = weir::detail::convert<double>(values[value]);
        to_y.add(pixel * options.outputs + output, weight * x(from, input));
        to_dx.add(from * options.inputs + input, weight * passed(pixel, output));
        to_gradient.add(value, passed(pixel, output) * x(from, input));
      });
  for (double& value : to_y.value) value = is_gated ? std::fmax(value, 0.0) : value;
  if (std::is_same_v<Element, weir::half>) {  // whose smallest numbers are equally far apart
    for (double& scale : to_y.scale) scale = std::fmax(scale, 0x1p-14);
    for (double& scale : to_dx.scale) scale = std::fmax(scale, 0x1p-14);
  }
  CHECK(largest_error(to_y, y) <= tolerance);
  CHECK(largest_error(to_dx, dx) <= tolerance);
  CHECK(largest_error(to_gradient, gradient) <= std::fmin(tolerance, 1e-5));
  for (std::size_t output = 0; output < bias_gradient.size(); ++output) {
    double sum = 0;
    for (std::size_t pixel = 0; pixel < s.output_pixels(); ++pixel) sum += passed(pixel, output);
    CHECK(bias_gradient[output] == doctest::Approx(sum).epsilon(1e-4));
  }
}

constexpr weir::Activation activations[] = {weir::Activation::identity, weir::Activation::relu};

TEST_CASE("a convolution equals the dense one whose dead weights are zero") {
  for (std::uint32_t groups : {1u, 2u, 4u, 8u}) {
    for (std::uint32_t kernel : {1u, 3u, 5u}) {
      for (std::uint32_t stride : {1u, 2u}) {
        for (std::uint32_t padding : {0u, 1u, 2u}) {
          for (std::uint32_t dilation : {1u, 2u}) {
            // Which makes it ten times as slow.
            if (UNDER_ADDRESS_SANITIZER && (groups + kernel + stride + padding + dilation) % 4 != 0) continue;
            weir::Conv2dOptions options{.inputs = 16,
                                        .outputs = 24,
                                        .kernel_height = kernel,
                                        .kernel_width = kernel,
                                        .stride = stride,
                                        .padding = padding,
                                        .dilation = dilation,
                                        .groups = groups,
                                        .activation = activations[kernel / 3 % 2],
                                        .has_bias = groups == 2};
            check<float>(options, 9, 10);
          }
        }
      }
    }
  }
}

TEST_CASE("the same with eight groups, each of them masked") {
  for (std::uint32_t kernel : {1u, 3u, 5u}) {
    for (std::uint32_t stride : {1u, 2u}) {
      weir::Conv2dOptions const options{.inputs = 64,
                                        .outputs = 48,
                                        .kernel_height = kernel,
                                        .kernel_width = kernel,
                                        .stride = stride,
                                        .padding = kernel / 2,
                                        .dilation = kernel == 3 ? 2u : 1u,
                                        .groups = 8,
                                        .activation = activations[stride - 1],
                                        .has_bias = true};
      weir::BIBDConv2d const conv(options);
      CHECK(conv.value_count() < 64 * 48 / 8 * std::size_t{kernel} * kernel);
      check<float>(options, 7, 6);
    }
  }
}

TEST_CASE("the same with 16 bits") {
  for (std::uint32_t groups : {1u, 4u}) {
    for (std::uint32_t kernel : {1u, 3u, 5u}) {
      weir::Conv2dOptions const options{.inputs = 32,
                                        .outputs = 48,
                                        .kernel_height = kernel,
                                        .kernel_width = kernel,
                                        .stride = 1 + kernel / 3 % 2,
                                        .padding = kernel / 2,
                                        .groups = groups,
                                        .activation = activations[kernel / 5],
                                        .has_bias = groups == 4};
      check<weir::bfloat16>(options, 9, 10, 1e-2);
      check<weir::half>(options, 9, 10, 2e-3);
    }
  }
}

TEST_CASE("the same with tiles, with several levels and with a mask that has no formula") {
  check<float>({.inputs = 48, .outputs = 64, .padding = 1, .mask = {.density = 0.5, .block = 16}}, 6, 5);
  check<float>({.inputs = 24, .outputs = 40, .kernel_width = 1, .padding = 1, .mask = {.density = 0.4}}, 6,
               5);
  check<float>({.inputs = 20, .outputs = 30, .padding = 1, .mask = {.family = "random", .density = 0.3}}, 6,
               5);
}

/// Of the cells of a group design, of a cyclic one, or of tiles.
std::uint32_t order_of(weir::BIBDMask<weir::AnyDesign> const& mask) {
  return mask.visit([](auto const& layout) -> std::uint32_t {
    using Layout = std::remove_cvref_t<decltype(layout)>;
    if constexpr (std::is_same_v<Layout, weir::GroupLayout>) {
      return layout.shape.group;
    } else if constexpr (std::is_same_v<Layout, weir::CyclicLayout>) {
      return layout.order;
    } else if constexpr (requires { layout.block; }) {
      return layout.block;
    } else {
      return 0;
    }
  });
}

/// Kernels, strides and edges of every kind, over images that a stride divides and images that it does not.
template <class Element>
void check_strides(weir::Conv2dOptions options, std::size_t order, double tolerance) {
  REQUIRE(order_of(weir::BIBDConv2d(options).mask(0)) == order);
  std::uint32_t const kernels[][2] = {{1, 1}, {3, 3}, {2, 3}};
  std::uint32_t drawn = 0;
  for (auto const& kernel : kernels) {
    for (std::uint32_t stride : {1u, 2u, 3u, 4u}) {
      for (std::uint32_t padding : {0u, 1u}) {
        for (std::uint32_t dilation : {1u, 2u}) {
          if (UNDER_ADDRESS_SANITIZER && ++drawn % 5 != 0) continue;
          options.kernel_height = kernel[0];
          options.kernel_width = kernel[1];
          options.stride = stride;
          options.padding = padding;
          options.dilation = dilation;
          check<Element>(options, 5, 7, tolerance, 3);
          if (padding == 1 && dilation == 1) check<Element>(options, 3, 2, tolerance, 1);
        }
      }
    }
  }
}

TEST_CASE("the same with groups of 16 and of 32 channels, cut and whole, for every stride") {
  for (std::uint32_t n : {16u, 32u}) {
    for (std::size_t inputs : {64u, 100u}) {
      std::size_t const outputs = inputs == 64 ? 64 : n == 16 ? 100 : 70;
      weir::Conv2dOptions const options{
          .inputs = inputs, .outputs = outputs, .mask = {.family = "hadamard-group", .order = n}};
      check_strides<float>(options, n, 1e-5);
      if (outputs == 70) check_strides<double>(options, n, 1e-13);
    }
  }
}

TEST_CASE("the same with cyclic designs, for every stride") {
  auto const plane = [](std::uint64_t order) {
    std::size_t const channels = order * order + order + 1;
    return weir::Conv2dOptions{
        .inputs = channels, .outputs = channels, .mask = {.family = "projective-plane", .order = order}};
  };
  check_strides<float>(plane(5), 31, 1e-5);
  check_strides<double>(plane(5), 31, 1e-13);
  check_strides<float>(plane(8), 73, 1e-5);
  weir::Conv2dOptions wide = plane(11);  // enough channels to compute those of few pixels many at a time
  wide.padding = 1;
  for (std::uint32_t stride : {1u, 2u, 3u}) {
    wide.stride = stride;
    check<float>(wide, 1, 3, 1e-5, 1);
  }
}

TEST_CASE("the same with tiles and with groups whose order is odd, for every stride") {
  check_strides<float>({.inputs = 40, .outputs = 48, .mask = {.density = 0.5, .block = 16}}, 16, 1e-5);
  check_strides<float>({.inputs = 40, .outputs = 31, .mask = {.family = "hadamard-group", .order = 9}}, 9,
                       1e-5);
}

TEST_CASE("what is no number in a channel reaches the outputs that have weights for it, and no others") {
  float const nan = std::numeric_limits<float>::quiet_NaN();
  for (weir::Conv2dOptions const& options :
       {weir::Conv2dOptions{.inputs = 32, .outputs = 48, .padding = 1},
        weir::Conv2dOptions{.inputs = 32, .outputs = 32, .stride = 2, .padding = 1, .groups = 4},
        weir::Conv2dOptions{.inputs = 20, .outputs = 30, .kernel_height = 1, .kernel_width = 1},
        weir::Conv2dOptions{.inputs = 31, .outputs = 31, .padding = 1},  // cyclic
        weir::Conv2dOptions{
            .inputs = 64, .outputs = 64, .padding = 1, .mask = {.density = 0.25, .block = 16}},
        weir::Conv2dOptions{.inputs = 20, .outputs = 30, .mask = {.family = "random", .density = 0.3}}}) {
    CAPTURE(options.outputs);
    CAPTURE(options.groups);
    weir::HostExecutor const exec;
    weir::BIBDConv2d const conv(options);
    auto const bound = conv.on(exec);
    auto const s = conv.shape(2, 6, 7);
    std::vector<float> values(conv.value_count()), gradient(values.size());
    conv.initialise(std::span(values), {.seed = 9});
    auto const order = weir::BatchOrder::batch_major;
    Batch<float> x(s.input_pixels(), options.inputs, order), dx(s.input_pixels(), options.inputs, order);
    Batch<float> y(s.output_pixels(), options.outputs, order), dy(s.output_pixels(), options.outputs, order);
    weir_test::fill_batch(x, 1);
    weir_test::fill_batch(dy, 2);
    std::size_t const input = 5, output = 7;
    for (std::size_t pixel = 0; pixel < s.input_pixels(); ++pixel) x.view()(pixel, input) = nan;
    for (std::size_t pixel = 0; pixel < s.output_pixels(); ++pixel) dy.view()(pixel, output) = nan;
    bound.template forward<float>(exec, s, weir::view(values), {}, x.constant(), y.view());
    bound.template backward<float>(exec, s, weir::view(values), x.constant(), y.constant(), dy.view(),
                                   dx.view(), weir::view(gradient), {}, weir::GradientMode::overwrite);
    exec.synchronize();

    std::vector<bool> in_y(s.output_pixels() * options.outputs), in_dx(s.input_pixels() * options.inputs),
        in_gradient(values.size());
    for_each_product(
        conv, s,
        [&](std::size_t to, std::size_t row, std::size_t from, std::size_t column, std::size_t value) {
          if (column == input) in_y[to * options.outputs + row] = true;
          if (row == output) in_dx[from * options.inputs + column] = true;
          if (column == input || row == output) in_gradient[value] = true;
        });
    std::size_t wrong = 0, live = 0;
    for (std::size_t i = 0; i < in_y.size(); ++i) {
      wrong += std::isnan(y(i / options.outputs, i % options.outputs)) == in_y[i] ? 0 : 1;
      live += in_y[i] ? 0 : 1;
    }
    for (std::size_t i = 0; i < in_dx.size(); ++i)
      wrong += std::isnan(dx(i / options.inputs, i % options.inputs)) == in_dx[i] ? 0 : 1;
    for (std::size_t i = 0; i < in_gradient.size(); ++i)
      wrong += std::isnan(gradient[i]) == in_gradient[i] ? 0 : 1;
    CHECK(wrong == 0);
    CHECK(live > 0);
  }
}

TEST_CASE("no channel of a ResNet's convolutions is dead, and every group has a mask of its own") {
  std::size_t const pairs[][2] = {{64, 64},    {64, 128},   {128, 128}, {128, 256},  {256, 256},
                                  {256, 512},  {512, 512},  {64, 256},  {256, 64},   {256, 128},
                                  {128, 512},  {512, 128},  {512, 256}, {256, 1024}, {1024, 256},
                                  {1024, 512}, {512, 2048}, {2048, 512}};
  for (auto const& pair : pairs) {
    std::size_t const inputs = pair[0], outputs = pair[1];
    for (std::uint32_t groups : {1u, 2u, 4u, 8u}) {
      CAPTURE(inputs);
      CAPTURE(outputs);
      CAPTURE(groups);
      weir::BIBDConv2d const conv({.inputs = inputs, .outputs = outputs, .groups = groups});
      std::size_t dead = 0, different = 0;
      for (std::size_t g = 0; g < groups; ++g) {
        auto const& mask = conv.mask(g);
        REQUIRE(mask.outputs() == outputs / groups);
        for (std::size_t row = 0; row < mask.outputs(); ++row) dead += mask.row_degree(row) == 0 ? 1 : 0;
        for (std::size_t column = 0; column < mask.inputs(); ++column)
          dead += mask.column_degree(column) == 0 ? 1 : 0;
      }
      CHECK(dead == 0);
      if (groups == 1) continue;
      for (std::size_t row = 0; row < outputs / groups; ++row) {
        for (std::size_t slot = 0; slot < conv.mask(0).row_degree(row); ++slot)
          different += conv.mask(0).column(row, slot) != conv.mask(1).column(row, slot) ? 1 : 0;
      }
      CHECK(different > 0);
    }
  }
}

TEST_CASE("groups are the same branches on any number of streams") {
  weir::HostExecutor const exec;
  weir::BIBDConv2d const conv({.inputs = 32, .outputs = 32, .padding = 1, .groups = 4});
  auto const bound = conv.on(exec);
  auto const s = conv.shape(1, 7, 7);
  std::vector<float> values(conv.value_count());
  conv.initialise(std::span(values));
  Batch<float> x(49, 32, weir::BatchOrder::batch_major), together(49, 32, x.order);
  weir_test::fill_batch(x, 1);
  bound.forward<float>(exec, s, weir::view(values), {}, x.constant(), together.view());
  exec.synchronize();
  for (std::size_t count : {2u, 3u}) {
    Batch<float> apart(49, 32, x.order);
    std::vector<weir::HostExecutor> streams;
    for (std::size_t i = 0; i < count; ++i) streams.push_back(exec.fork());
    for (std::size_t g = 0; g < 4; ++g) {
      bound.forward_group<float>(streams[g % count], g, s, weir::view(values), {}, x.constant(),
                                 apart.view());
    }
    for (auto const& stream : streams) stream.synchronize();
    CHECK(apart.elements == together.elements);
  }
}

TEST_CASE("groups on the workers of a pool give the bits of one stream, forwards and back") {
  weir::HostExecutor const exec;
  weir::BIBDConv2d const conv({.inputs = 32,
                               .outputs = 48,
                               .padding = 1,
                               .groups = 4,
                               .activation = weir::Activation::relu,
                               .has_bias = true});
  auto const bound = conv.on(exec);
  auto const s = conv.shape(2, 7, 6);
  auto const order = weir::BatchOrder::batch_major;
  std::vector<float> values(conv.value_count()), bias(conv.bias_count(), 0.25f);
  conv.initialise(std::span(values));
  Batch<float> x(s.input_pixels(), 32, order, 3);
  weir_test::fill_batch(x, 1);
  auto const train = [&](auto& where) {
    Batch<float> y(s.output_pixels(), 48, order), dy(y), dx(s.input_pixels(), 32, order);
    weir_test::fill_batch(dy, 2);
    std::vector<float> gradient(values.size(), 5.0f), bias_gradient(bias.size(), 5.0f);
    bound.forward<float>(where, s, weir::view(values), weir::view(bias), x.constant(), y.view());
    bound.backward<float>(where, s, weir::view(values), x.constant(), y.constant(), dy.view(), dx.view(),
                          weir::view(gradient), weir::view(bias_gradient), weir::GradientMode::accumulate);
    exec.synchronize();
    return std::vector{y.elements, dy.elements, dx.elements, gradient, bias_gradient};
  };
  auto const expected = train(exec);
  for (std::size_t count : {1u, 2u, 3u, 4u, 7u}) {
    weir::StreamWorkerPool pool{exec, {.workers = count, .buckets = weir::BucketPlan::by_bytes({4})}};
    CHECK(train(pool) == expected);
  }
}

TEST_CASE("groups that do not divide the channels are refused") {
  auto const check_refused = [](weir::Conv2dOptions const& options, char const* text) {
    CHECK_THROWS_WITH_AS((weir::BIBDConv2d(options)), text, weir::ContractViolation);
  };
  check_refused({.inputs = 30, .outputs = 32, .groups = 4},
                "BIBDConv2d: groups 4, a divisor of inputs 30 and outputs 32 would be right (nearest: 2)");
  check_refused({.inputs = 24, .outputs = 48, .groups = 5},
                "BIBDConv2d: groups 5, a divisor of inputs 24 and outputs 48 would be right (nearest: 4, 6)");
  check_refused({.inputs = 16, .outputs = 32, .groups = 0xffff'ffff},
                "BIBDConv2d: groups 4294967295, a divisor of inputs 16 and outputs 32 would be right "
                "(nearest: 16)");
}

TEST_CASE("sizes of 0 are refused by their names") {
  weir::Conv2dOptions const right{.inputs = 8, .outputs = 8};
  auto const check_refused = [](weir::Conv2dOptions const& options, char const* name) {
    std::string const text = std::string("BIBDConv2d: ") + name + " 0, at least 1 would be right";
    CHECK_THROWS_WITH_AS((weir::BIBDConv2d(options)), text.c_str(), weir::ContractViolation);
  };
  auto const without = [&](auto member) {
    weir::Conv2dOptions options = right;
    options.*member = 0;
    return options;
  };
  check_refused(without(&weir::Conv2dOptions::inputs), "inputs");
  check_refused(without(&weir::Conv2dOptions::outputs), "outputs");
  check_refused(without(&weir::Conv2dOptions::groups), "groups");
  check_refused(without(&weir::Conv2dOptions::kernel_height), "kernel_height");
  check_refused(without(&weir::Conv2dOptions::kernel_width), "kernel_width");
  check_refused(without(&weir::Conv2dOptions::stride), "stride");
  check_refused(without(&weir::Conv2dOptions::dilation), "dilation");
}

/// All that a convolution gives, with its gradients by tap, row and column.
template <class D>
std::vector<double> passes(weir::BIBDConv2d<D> const& conv) {
  weir::HostExecutor const exec;
  auto const bound = conv.on(exec);
  auto const& o = conv.options();
  auto const s = conv.shape(2, 5, 6);
  auto const order = weir::BatchOrder::batch_major;
  std::vector<double> values(conv.value_count()), gradient(values.size());
  std::size_t const inputs = o.inputs / o.groups, outputs = o.outputs / o.groups;
  auto const for_each_weight = [&](auto const& f) {
    for (std::size_t g = 0; g < conv.groups(); ++g) {
      auto const& mask = conv.mask(g);
      for (std::size_t tap = 0; tap < conv.taps(); ++tap) {
        for (std::size_t row = 0; row < outputs; ++row) {
          for (std::size_t slot = 0; slot < mask.row_degree(row); ++slot) {
            std::size_t const dense =
                ((g * conv.taps() + tap) * outputs + row) * inputs + mask.column(row, slot);
            f(dense, conv.first_value(g) + tap * mask.value_count() + mask.value_index(row, slot));
          }
        }
      }
    }
  };
  for_each_weight(
      [&](std::size_t dense, std::size_t at) { values[at] = 1.0 / static_cast<double>(1 + dense % 101); });
  Batch<double> x(s.input_pixels(), o.inputs, order), dx = x;
  Batch<double> y(s.output_pixels(), o.outputs, order), dy = y;
  weir_test::fill_batch(x, 1);
  weir_test::fill_batch(dy, 2);
  bound.template forward<double>(exec, s, weir::view(values), {}, x.constant(), y.view());
  bound.template backward<double>(exec, s, weir::view(values), x.constant(), y.constant(), dy.view(),
                                  dx.view(), weir::view(gradient), {}, weir::GradientMode::overwrite);
  exec.synchronize();
  std::vector<double> all = y.elements;
  all.insert(all.end(), dx.elements.begin(), dx.elements.end());
  std::size_t const first = all.size();
  all.resize(first + conv.groups() * conv.taps() * outputs * inputs);
  for_each_weight([&](std::size_t dense, std::size_t at) { all[first + dense] = gradient[at]; });
  return all;
}

template <class D>
void check_against_tables(D const& design, weir::Conv2dOptions const& options) {
  CAPTURE(design.inputs());
  weir::BIBDMask<D> const mask(design);
  weir::BIBDMask<weir::AnyDesign> const tables(weir::AnyDesign::of(design));
  std::vector<weir::BIBDMask<D>> const masks(options.groups, mask);
  weir::BIBDConv2d<D> const conv(masks, options);
  CHECK(conv.options().inputs == options.groups * design.inputs());
  CHECK(conv.nnz() == options.groups * conv.taps() * design.nnz());
  auto const formula = passes(conv);
  auto const expected = passes(weir::BIBDConv2d<>(std::vector(options.groups, tables), options));
  REQUIRE(formula.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i)
    worst = std::fmax(worst, std::abs(formula[i] - expected[i]));
  CHECK(worst < 1e-11);
}

TEST_CASE("a convolution over any design gives what tables of its entries do") {
  weir::Conv2dOptions const plain{.padding = 1};
  weir::Conv2dOptions const grouped{.kernel_width = 2, .stride = 2, .padding = 2, .dilation = 2, .groups = 2};
  for (auto const& options : {plain, grouped}) {
    check_against_tables(weir::GroupDesign{{.outputs = 18, .inputs = 10, .group = 4}}, options);
    check_against_tables(weir::CyclicDesign(7, {1, 2, 4}), options);
    check_against_tables(weir::AffineGeometry(3), options);
    check_against_tables(weir::SteinerTripleSystem(9), options);
    check_against_tables(weir::PaleyDesign(27), options);
    check_against_tables(weir::dual(weir::AffineGeometry(3)), options);
  }
  CHECK(weir::BIBDConv2d{weir::BIBDMask{weir::PaleyDesign(7)}, {.padding = 1}}.nnz() == 9 * 21);
}

TEST_CASE("masks that are given fit the channels and the groups") {
  weir::BIBDMask const mask(weir::PaleyDesign(7));
  CHECK_THROWS_WITH_AS((weir::BIBDConv2d{mask, {.inputs = 14, .outputs = 7}}),
                       "BIBDConv2d: a mask of 7 x 7 channels, 7 x 14, those of a group, would be right",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS((weir::BIBDConv2d{mask, {.groups = 2}}),
                       "BIBDConv2d: 1 masks, 2, one per group, would be right", weir::ContractViolation);
  CHECK_THROWS_AS((weir::BIBDConv2d<weir::PaleyDesign>(std::vector<weir::BIBDMask<weir::PaleyDesign>>{})),
                  weir::ContractViolation);
}

/// What a pass of a layer of 8 to 8 channels in 2 groups is given, all of it right until it is changed.
struct Passes {
  std::string forward() {
    return refusal([&] {
      bound.forward<float>(exec, shape, weir::view(values), weir::view(bias), x.constant(), y.view());
    });
  }
  std::string backward() {
    return refusal([&] {
      bound.backward<float>(exec, shape, weir::view(values), x.constant(), y.constant(), dy.view(), dx.view(),
                            weir::view(gradient), weir::view(bias_gradient), weir::GradientMode::accumulate);
    });
  }

  /// What a pass is refused for; nothing that it writes has changed then.
  template <class Function>
  std::string refusal(Function const& pass) {
    auto const old_y = y.elements, old_dy = dy.elements;
    auto const old_gradient = gradient, old_bias_gradient = bias_gradient;
    try {
      pass();
    } catch (weir::ContractViolation const& error) {
      exec.synchronize();
      CHECK(y.elements == old_y);
      CHECK(dy.elements == old_dy);
      CHECK(gradient == old_gradient);
      CHECK(bias_gradient == old_bias_gradient);
      return error.what();
    }
    exec.synchronize();
    return "";
  }

  static Batch<float> channels(std::size_t count, std::size_t stride = 8) {
    Batch<float> batch(25, count, weir::BatchOrder::batch_major, stride - count);
    batch.elements.assign(batch.elements.size(), 0.25f);
    return batch;
  }

  weir::HostExecutor exec;
  weir::BIBDConv2d<> layer{{.inputs = 8,
                            .outputs = 8,
                            .padding = 1,
                            .groups = 2,
                            .activation = weir::Activation::relu,
                            .has_bias = true}};
  weir::BIBDConv2d<>::Bound<weir::HostExecutor> bound = layer.on(exec);
  weir::ConvolutionShape shape = layer.shape(1, 5, 5);
  Batch<float> x = channels(8), y = channels(8), dy = channels(8), dx = channels(8);
  std::vector<float> values = std::vector<float>(layer.value_count(), 0.5f), gradient = values;
  std::vector<float> bias = std::vector<float>(8, 0.5f), bias_gradient = bias;
};

TEST_CASE("BIBDConv2d: views of other sizes are refused, and nothing is changed") {
  Passes const right;
  CHECK(Passes().forward() == "");
  CHECK(Passes().backward() == "");
  for (std::size_t const count : {std::size_t{1}, std::size_t{4}, std::size_t{16}}) {
    std::string const text =
        " has " + std::to_string(count) + " features and the mask 8 inputs, they must be equally many";
    Passes wrong;
    wrong.x = Passes::channels(count, 16);
    CHECK(wrong.forward() == "BIBDConv2d::forward: x" + text);
    CHECK(wrong.backward() == "BIBDConv2d::backward: x" + text);
    wrong.x = right.x;
    wrong.dx = Passes::channels(count, 16);
    CHECK(wrong.backward() == "BIBDConv2d::backward: dx" + text);
  }
  for (std::size_t const count : {std::size_t{3}, std::size_t{5}}) {
    Passes wrong;
    wrong.y = Passes::channels(count);
    CHECK(wrong.forward().starts_with("BIBDConv2d::forward: y has "));
    CHECK(wrong.backward().starts_with("BIBDConv2d::backward: y has "));
    wrong.y = right.y;
    wrong.dy = Passes::channels(count);
    CHECK(wrong.backward().starts_with("BIBDConv2d::backward: dy has "));
  }
  for (std::size_t const count : {std::size_t{0}, std::size_t{3}, std::size_t{9}}) {
    Passes wrong;
    wrong.bias.resize(count);
    wrong.bias_gradient.resize(count);
    std::string const text =
        " has " + std::to_string(count) + " elements and the layer 8, they must have equally many";
    CHECK(wrong.forward() == "BIBDConv2d::forward: bias" + text);
    CHECK(wrong.backward() == "BIBDConv2d::backward: bias_gradient" + text);
  }
  Passes wrong;
  wrong.values.pop_back();
  wrong.gradient.push_back(0);
  CHECK(wrong.forward().starts_with("BIBDConv2d::forward: values has "));
  CHECK(wrong.backward().starts_with("BIBDConv2d::backward: gradient has "));
  CHECK_THROWS_AS(wrong.layer.initialise(std::span(wrong.values)), weir::ContractViolation);
  CHECK_THROWS_AS(wrong.layer.initialise(std::span(wrong.gradient)), weir::ContractViolation);
}

TEST_CASE("BIBDConv2d: a shape of another geometry is refused") {
  Passes wrong;
  wrong.shape.kernel_height = 9;
  wrong.shape.kernel_width = 1;
  wrong.shape.padding = 4;
  CHECK(wrong.forward() ==
        "BIBDConv2d::forward: a shape of kernel 9 x 1, stride 1, padding 4, dilation 1, 3 x 3, stride 1, "
        "padding 1, dilation 1 would be right");
  CHECK(wrong.backward().starts_with("BIBDConv2d::backward: a shape of kernel 9 x 1"));
}

}  // namespace

TEST_CASE("BIBDConv2d: no masks, and more taps than are counted, are refused") {
  CHECK_THROWS_WITH_AS(weir::BIBDConv2d(std::vector<weir::BIBDMask<weir::AnyDesign>>{}),
                       "BIBDConv2d: 0 masks, one per group would be right", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(
      weir::BIBDConv2d({.inputs = 4, .outputs = 4, .kernel_height = 1u << 16, .kernel_width = 1u << 16}),
      "BIBDConv2d: a kernel of 65536 x 65536, at most 4294967295 taps would be right",
      weir::ContractViolation);
}
