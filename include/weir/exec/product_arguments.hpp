#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/core/smaller.hpp"
#include "weir/exec/arguments.hpp"
#include "weir/exec/batch_view.hpp"
#include "weir/exec/convolution_shape.hpp"
#include "weir/exec/tiled_layout.hpp"
#include "weir/tensor/view.hpp"

namespace weir::inline v1 {
namespace detail {

// What products with a mask check, on every backend.

inline void check_batch(Arguments const& arguments, char const* name, std::size_t features,
                        char const* wanted_name, std::size_t wanted, std::size_t stride, std::size_t width) {
  if (features != wanted) {
    arguments.refuse(std::string(name) + " has " + std::to_string(features) + " features and the mask " +
                     std::to_string(wanted) + " " + wanted_name + ", they must be equally many");
  }
  if (stride < width) {
    arguments.refuse(std::string("the stride of ") + name + " is " + std::to_string(stride) +
                     ", it must be at least " + std::to_string(width));
  }
}

template <class Element, class Space>
void check_batch(Arguments const& arguments, char const* name, BatchView<Element, Space> const& batch,
                 char const* wanted_name, std::size_t wanted) {
  std::size_t const width = batch.is_batch_major() ? batch.features : batch.samples;
  std::size_t const lines = batch.is_batch_major() ? batch.samples : batch.features;
  check_batch(arguments, name, batch.features, wanted_name, wanted, lines > 1 ? batch.stride : width, width);
}

template <class Element, class Space>
TensorView<Element, Space> memory_of(BatchView<Element, Space> const& batch) {
  return {batch.data, batch.extent()};
}

template <class Element, class Space>
void check_pixels(Arguments const& arguments, char const* name, BatchView<Element, Space> const& batch,
                  std::size_t pixels, char const* wanted_name, std::size_t wanted) {
  if (!batch.is_batch_major())
    arguments.refuse(std::string(name) + " is feature-major, the channels of a pixel must lie side by side");
  arguments.same_size((std::string("a channel of ") + name).c_str(), batch.samples, "the shape", pixels);
  check_batch(arguments, name, batch, wanted_name, wanted);
}

inline void check_shape(Arguments const& arguments, ConvolutionShape const& shape) {
  bool const is_positive =
      shape.kernel_height != 0 && shape.kernel_width != 0 && shape.stride != 0 && shape.dilation != 0;
  if (!is_positive) arguments.refuse("kernel, stride and dilation must be at least 1");
  std::uint64_t const most = 0xffff'ffff;
  if (larger(shape.height, shape.width) + std::uint64_t{2} * shape.padding > most) {
    arguments.refuse("the padding is " + std::to_string(shape.padding) +
                     ", with it a side must have at most 2^32 - 1 pixels");
  }
  if (std::uint64_t{shape.kernel_height} * shape.kernel_width > most) {
    arguments.refuse("a kernel of " + std::to_string(shape.kernel_height) + " x " +
                     std::to_string(shape.kernel_width) + ", it must have at most 2^32 - 1 taps");
  }
  if (shape.output_height() != 0 && shape.output_width() != 0) return;
  arguments.refuse("a kernel of " + std::to_string(shape.kernel_height) + " x " +
                   std::to_string(shape.kernel_width) + " does not fit an image of " +
                   std::to_string(shape.height) + " x " + std::to_string(shape.width));
}

template <class Layout, class Value, class In, class Out, class Space>
void check_multiply_masked(Layout const& layout, TensorView<Value, Space> values,
                           BatchView<In, Space> const& x, BatchView<Out, Space> const& y) {
  Arguments const arguments("multiply_masked");
  arguments.same_size("the values", values.size(), "the mask", layout.value_count());
  arguments.same_size("a feature of y", y.samples, "one of x", x.samples);
  check_batch(arguments, "x", x, "inputs", layout.inputs());
  check_batch(arguments, "y", y, "outputs", layout.outputs());
  arguments.apart("y", memory_of(y), "x", memory_of(x));
  arguments.apart("y", memory_of(y), "the values", values);
}

template <class Layout, class Value, class In, class Out, class Space>
void check_multiply_masked_transposed(Layout const& layout, TensorView<Value, Space> values,
                                      BatchView<In, Space> const& dy, BatchView<Out, Space> const& dx) {
  Arguments const arguments("multiply_masked_transposed");
  arguments.same_size("the values", values.size(), "the mask", layout.value_count());
  arguments.same_size("a feature of dx", dx.samples, "one of dy", dy.samples);
  check_batch(arguments, "dy", dy, "outputs", layout.outputs());
  check_batch(arguments, "dx", dx, "inputs", layout.inputs());
  arguments.apart("dx", memory_of(dx), "dy", memory_of(dy));
  arguments.apart("dx", memory_of(dx), "the values", values);
}

template <class Layout, class Real, class In, class Other, class Space>
void check_masked_weight_gradient(Layout const& layout, TensorView<Real, Space> gradient,
                                  BatchView<In, Space> const& dy, BatchView<Other, Space> const& x) {
  Arguments const arguments("masked_weight_gradient");
  arguments.same_size("the gradient", gradient.size(), "the mask", layout.value_count());
  arguments.same_size("a feature of dy", dy.samples, "one of x", x.samples);
  check_batch(arguments, "dy", dy, "outputs", layout.outputs());
  check_batch(arguments, "x", x, "inputs", layout.inputs());
  arguments.apart("the gradient", gradient, "dy", memory_of(dy));
  arguments.apart("the gradient", gradient, "x", memory_of(x));
}

template <class Layout, class Value, class In, class Out, class Space>
void check_convolve_masked(Layout const& layout, ConvolutionShape const& shape,
                           TensorView<Value, Space> values, BatchView<In, Space> const& x,
                           BatchView<Out, Space> const& y) {
  Arguments const arguments("convolve_masked");
  check_shape(arguments, shape);
  arguments.same_size("the values", values.size(), "mask times taps", shape.taps() * layout.value_count());
  check_pixels(arguments, "x", x, shape.input_pixels(), "inputs", layout.inputs());
  check_pixels(arguments, "y", y, shape.output_pixels(), "outputs", layout.outputs());
  arguments.apart("y", memory_of(y), "x", memory_of(x));
  arguments.apart("y", memory_of(y), "the values", values);
}

template <class Layout, class Value, class In, class Out, class Space>
void check_convolve_masked_transposed(Layout const& layout, ConvolutionShape const& shape,
                                      TensorView<Value, Space> values, BatchView<In, Space> const& dy,
                                      BatchView<Out, Space> const& dx) {
  Arguments const arguments("convolve_masked_transposed");
  check_shape(arguments, shape);
  arguments.same_size("the values", values.size(), "mask times taps", shape.taps() * layout.value_count());
  check_pixels(arguments, "dy", dy, shape.output_pixels(), "outputs", layout.outputs());
  check_pixels(arguments, "dx", dx, shape.input_pixels(), "inputs", layout.inputs());
  arguments.apart("dx", memory_of(dx), "dy", memory_of(dy));
  arguments.apart("dx", memory_of(dx), "the values", values);
}

template <class Layout, class Real, class In, class Other, class Space>
void check_masked_convolution_gradient(Layout const& layout, ConvolutionShape const& shape,
                                       TensorView<Real, Space> gradient, BatchView<In, Space> const& dy,
                                       BatchView<Other, Space> const& x) {
  Arguments const arguments("masked_convolution_gradient");
  check_shape(arguments, shape);
  arguments.same_size("the gradient", gradient.size(), "mask times taps",
                      shape.taps() * layout.value_count());
  check_pixels(arguments, "dy", dy, shape.output_pixels(), "outputs", layout.outputs());
  check_pixels(arguments, "x", x, shape.input_pixels(), "inputs", layout.inputs());
  arguments.apart("the gradient", gradient, "dy", memory_of(dy));
  arguments.apart("the gradient", gradient, "x", memory_of(x));
}

template <class Layout>
inline constexpr bool is_tiled = false;
template <class Grid>
inline constexpr bool is_tiled<TiledLayout<Grid>> = true;

}  // namespace detail
}  // namespace weir::inline v1
