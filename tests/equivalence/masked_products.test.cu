// Masked layers on the device against the host's, within what the order of sums makes of the last bits; and
// the device twice, bit for bit.
#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "support/worst_error.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/clear_dead.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/conv2d.hpp"
#include "weir/mask/linear.hpp"
#include "weir/tensor/buffer.hpp"

namespace {

using weir::GradientMode;

/// Numbers in an executor's memory.
template <class E, class Element>
class Memory {
 public:
  Memory(E const& executor, std::size_t size, unsigned seed) : executor_(executor), buffer_(executor, size) {
    std::vector<Element> numbers(size);
    for (std::size_t i = 0; i < size; ++i)
      numbers[i] = Element(static_cast<float>((i * 7919 + seed * 104729) % 1009) / 504.5f - 1.0f);
    weir::from_host(executor_, std::span<Element const>(numbers), buffer_.view());
  }
  auto view() const { return buffer_.view(); }
  auto batch(std::size_t samples, std::size_t features) const {
    return weir::batch_major<typename E::memory_space>(buffer_.data(), samples, features);
  }
  std::vector<double> content() const {
    std::vector<double> result;
    for (Element const value : weir::to_host(executor_, buffer_.view()))
      result.push_back(weir::detail::convert<double>(value));
    return result;
  }

 private:
  E executor_;
  weir::Buffer<Element, E> buffer_;
};

using Results = std::vector<std::vector<double>>;

template <class Element, class E>
Results linear(E const& executor, weir::BIBDLinear<weir::AnyDesign> const& layer, std::size_t samples) {
  using Real = weir::AccumulatorOf<Element>;
  auto const bound = layer.on(executor);
  std::size_t const in = layer.inputs(), out = layer.outputs();
  Memory<E, Element> const x(executor, samples * in, 2), y(executor, samples * out, 3);
  Memory<E, Element> const dy(executor, samples * out, 4), dx(executor, samples * in, 5);
  Memory<E, Real> const bias(executor, out, 6), gradient(executor, layer.value_count(), 7),
      bias_gradient(executor, out, 8);
  std::vector<Element> drawn(layer.value_count());
  layer.initialise(std::span(drawn), {.seed = 5});
  weir::Buffer<Element, E> const values(executor, drawn.size());
  weir::from_host(executor, std::span<Element const>(drawn), values.view());
  for (auto const mode : {GradientMode::overwrite, GradientMode::accumulate}) {
    bound.template forward<Element>(executor, values.view(), bias.view(), x.batch(samples, in),
                                    y.batch(samples, out));
    bound.template backward<Element>(executor, values.view(), x.batch(samples, in), y.batch(samples, out),
                                     dy.batch(samples, out), dx.batch(samples, in), gradient.view(),
                                     bias_gradient.view(), mode);
  }
  Memory<E, float> const matrix(executor, in * out, 9);
  weir::BoundMask<E, weir::AnyDesign> const mask(executor, layer.mask());
  mask.visit([&](auto const& layout) { clear_dead(executor, layout, matrix.view()); });
  executor.synchronize();
  return {y.content(),     dy.content(), dx.content(), gradient.content(), bias_gradient.content(),
          matrix.content()};
}

template <class Element, class E>
Results convolution(E const& executor, weir::BIBDConv2d<> const& layer, weir::ConvolutionShape const& shape) {
  using Real = weir::AccumulatorOf<Element>;
  auto const bound = layer.on(executor);
  std::size_t const in = layer.options().inputs, out = layer.options().outputs;
  std::size_t const pixels = shape.input_pixels(), results = shape.output_pixels();
  Memory<E, Element> const values(executor, layer.value_count(), 1), x(executor, pixels * in, 2);
  Memory<E, Element> const y(executor, results * out, 3), dy(executor, results * out, 4),
      dx(executor, pixels * in, 5);
  Memory<E, Real> const gradient(executor, layer.value_count(), 7);
  bound.template forward<Element>(executor, shape, values.view(), {}, x.batch(pixels, in),
                                  y.batch(results, out));
  bound.template backward<Element>(executor, shape, values.view(), x.batch(pixels, in), y.batch(results, out),
                                   dy.batch(results, out), dx.batch(pixels, in), gradient.view(), {},
                                   GradientMode::overwrite);
  executor.synchronize();
  return {y.content(), dx.content(), gradient.content()};
}

/// The largest difference relative to the largest number of each result.
double difference(Results const& one, Results const& other) {
  double largest = 0;
  for (std::size_t r = 0; r < one.size(); ++r) {
    double scale = 1e-30, error = 0;
    for (std::size_t i = 0; i < one[r].size(); ++i) {
      scale = std::fmax(scale, std::abs(one[r][i]));
      error = weir_test::worst_error(error, std::abs(one[r][i] - other[r][i]));
    }
    largest = weir_test::worst_error(largest, error / scale);
  }
  return largest;
}

template <class Element>
constexpr double tolerance = sizeof(Element) == 8   ? 1e-12
                             : sizeof(Element) == 4 ? 1e-5
                                                    : 2e-2;

template <class Run>
void compare(Run const& run, double wanted) {
  auto const expected = run(weir::HostExecutor());
  auto const found = run(weir::CudaExecutor());
  CHECK(difference(expected, found) <= wanted);
  CHECK(run(weir::CudaExecutor()) == found);
}

template <class Element>
void compare_layers(std::size_t samples) {
  CAPTURE(samples);
  CAPTURE(sizeof(Element));
  for (std::string const family : {"hadamard-group", "auto", "projective-plane", "random", "tiles"}) {
    CAPTURE(family);
    weir::MaskOptions options{.outputs = 273, .inputs = 273, .seed = 3};
    options.family = family == "tiles" ? "auto" : family;
    if (family == "tiles") options.block = 32;
    if (family == "projective-plane") options.order = 16;
    if (family == "random" || family == "tiles") options.density = 0.25;
    if (family == "tiles") options.outputs = options.inputs = 256;
    weir::BIBDLinear<weir::AnyDesign> const layer(weir::BIBDMask<weir::AnyDesign>(options),
                                                  {.activation = weir::Activation::relu});
    compare([&](auto const& executor) { return linear<Element>(executor, layer, samples); },
            tolerance<Element>);
  }
}

}  // namespace

TEST_CASE("a fully connected layer on the device is that of the host") {
  for (std::size_t samples : {1u, 7u, 100u}) {
    compare_layers<float>(samples);
    compare_layers<double>(samples);
    compare_layers<weir::bfloat16>(samples);
    compare_layers<weir::half>(samples);
  }
}

TEST_CASE("a convolution on the device is that of the host") {
  for (std::uint32_t groups : {1u, 2u, 4u, 8u}) {
    weir::BIBDConv2d const layer({.inputs = 64,
                                  .outputs = 128,
                                  .stride = 2,
                                  .padding = 1,
                                  .groups = groups,
                                  .mask = {.density = 0.25}});
    auto const shape = layer.shape(2, 9, 8);
    compare([&](auto const& executor) { return convolution<float>(executor, layer, shape); }, 1e-5);
    compare([&](auto const& executor) { return convolution<weir::bfloat16>(executor, layer, shape); }, 2e-2);
    if (groups > 2) continue;  // fewer channels than a tile has
    weir::BIBDConv2d const tiled({.inputs = 64,
                                  .outputs = 128,
                                  .padding = 2,
                                  .dilation = 2,
                                  .groups = groups,
                                  .mask = {.density = 0.5, .block = 32}});
    compare(
        [&](auto const& executor) {
          return convolution<weir::bfloat16>(executor, tiled, tiled.shape(2, 7, 6));
        },
        2e-2);
  }
}
