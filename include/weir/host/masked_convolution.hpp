#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "weir/core/smaller.hpp"
#include "weir/exec/arguments.hpp"
#include "weir/exec/convolution_shape.hpp"
#include "weir/host/masked_product.hpp"

// Convolutions with a mask on pairs of channels, all taps of a live pair live: as masked_product.hpp, with
// pixels as samples and channels that lie side by side as features. Nothing is unfolded: what a tap reads is
// found while it is packed.

namespace weir::inline v1 {

/// y = activation(convolution of x + bias).
///
/// Shapes: x input pixels x inputs of the mask, y output pixels x outputs, values taps times
/// `value_count()`. Errors: `ContractViolation`, also where the kernel does not fit.
template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void convolve_masked(HostExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                     HostView<Value> values, HostBatch<In> x, HostBatch<Out> y,
                     std::type_identity_t<ProductEpilogue<AccumulatorOf<Value>>> epilogue = {}) {
  using Source = detail::SampleSource<std::remove_const_t<In>>;
  detail::check_convolve_masked(layout, shape, values, x, y);
  executor.submit([layout, shape, weights = static_cast<std::remove_const_t<Value> const*>(values.data()),
                   in = x.data, in_stride = x.stride, out = y.data, out_stride = y.stride,
                   epilogue](HostExecutor const& point) {
    auto const pixels = batch_major(static_cast<std::remove_const_t<In> const*>(in), shape.input_pixels(),
                                    layout.inputs(), in_stride);
    auto const to = batch_major(out, shape.output_pixels(), layout.outputs(), out_stride);
    detail::multiply_with_mask<false>(point.team(), layout, weights, Source(pixels, shape), to, epilogue);
  });
}

/// dx from dy, with the same values.
template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void convolve_masked_transposed(HostExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                                HostView<Value> values, HostBatch<In> dy, HostBatch<Out> dx) {
  using Source = detail::SampleSource<std::remove_const_t<In>>;
  detail::check_convolve_masked_transposed(layout, shape, values, dy, dx);
  executor.submit([layout, shape, weights = static_cast<std::remove_const_t<Value> const*>(values.data()),
                   in = dy.data, in_stride = dy.stride, out = dx.data,
                   out_stride = dx.stride](HostExecutor const& point) {
    auto const pixels = batch_major(static_cast<std::remove_const_t<In> const*>(in), shape.output_pixels(),
                                    layout.outputs(), in_stride);
    auto const to = batch_major(out, shape.input_pixels(), layout.inputs(), out_stride);
    for (std::uint32_t row = 0; row < detail::smaller(shape.stride, shape.height); ++row) {
      for (std::uint32_t column = 0; column < detail::smaller(shape.stride, shape.width); ++column) {
        Source const read_alike(pixels, shape, row, column);
        detail::multiply_with_mask<true>(point.team(), layout, weights, read_alike, to, {});
      }
    }
  });
}

/// The gradient of the values, tap by tap as they are.
template <class Layout, class In, class Other, class Real>
requires std::same_as<std::remove_const_t<In>, std::remove_const_t<Other>> && ExactIn<In, Real>
void masked_convolution_gradient(HostExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                                 HostBatch<In> dy, HostBatch<Other> x, HostView<Real> gradient,
                                 GradientMode mode) {
  using Input = std::remove_const_t<In>;
  using Source = detail::SampleSource<Input>;
  detail::check_masked_convolution_gradient(layout, shape, gradient, dy, x);
  executor.submit([layout, shape, out = dy.data, out_stride = dy.stride, in = x.data, in_stride = x.stride,
                   to = gradient.data(), mode](HostExecutor const& point) {
    Source const outputs(
        batch_major(static_cast<Input const*>(out), shape.output_pixels(), layout.outputs(), out_stride));
    Source const inputs(
        batch_major(static_cast<Input const*>(in), shape.input_pixels(), layout.inputs(), in_stride), shape);
    for (std::uint32_t tap = 0; tap < shape.taps(); ++tap) {
      detail::add_masked_gradient(point.team(), layout, outputs, inputs, tap, to + tap * layout.value_count(),
                                  mode);
    }
  });
}

}  // namespace weir::inline v1
