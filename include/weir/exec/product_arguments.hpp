#pragma once

#include <cstddef>
#include <string>

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
  if (shape.output_height() != 0 && shape.output_width() != 0) return;
  arguments.refuse("a kernel of " + std::to_string(shape.kernel_height) + " x " +
                   std::to_string(shape.kernel_width) + " does not fit an image of " +
                   std::to_string(shape.height) + " x " + std::to_string(shape.width));
}

template <class Layout>
inline constexpr bool is_tiled = false;
template <class Grid>
inline constexpr bool is_tiled<TiledLayout<Grid>> = true;

}  // namespace detail
}  // namespace weir::inline v1
