#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include "weir/cuda/kernels/batch_passes.cuh"
#include "weir/cuda/kernels/product_launch.cuh"
#include "weir/cuda/masked_product.hpp"
#include "weir/exec/arguments.hpp"
#include "weir/exec/product_arguments.hpp"

// What masked_product.hpp declares.

namespace weir::inline v1 {
namespace detail {

template <class Element>
BatchView<std::remove_const_t<Element> const, DeviceSpace> constant(BatchView<Element, DeviceSpace> batch) {
  return {batch.data, batch.samples, batch.features, batch.stride, batch.order};
}

}  // namespace detail

template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void multiply_masked(CudaExecutor const& executor, Layout const& layout,
                     TensorView<Value, DeviceSpace> values, DeviceBatch<In> x, DeviceBatch<Out> y,
                     std::type_identity_t<ProductEpilogue<AccumulatorOf<Value>>> epilogue) {
  using Element = std::remove_const_t<Value>;
  using Input = std::remove_const_t<In>;
  detail::check_multiply_masked(layout, values, x, y);
  detail::ProductLaunch<false, Element, Input, Out>{
      executor, values.data(), detail::DeviceSamples<Input>::of(x), y, epilogue, "launch of multiply_masked"}(
      layout);
}

template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void multiply_masked_transposed(CudaExecutor const& executor, Layout const& layout,
                                TensorView<Value, DeviceSpace> values, DeviceBatch<In> dy,
                                DeviceBatch<Out> dx) {
  using Element = std::remove_const_t<Value>;
  using Input = std::remove_const_t<In>;
  detail::check_multiply_masked_transposed(layout, values, dy, dx);
  detail::ProductLaunch<true, Element, Input, Out>{executor,
                                                   values.data(),
                                                   detail::DeviceSamples<Input>::of(dy),
                                                   dx,
                                                   {},
                                                   "launch of multiply_masked_transposed"}(layout);
}

template <class Layout, class In, class Other, class Real>
requires std::same_as<std::remove_const_t<In>, std::remove_const_t<Other>> && ExactIn<In, Real>
void masked_weight_gradient(CudaExecutor const& executor, Layout const& layout, DeviceBatch<In> dy,
                            DeviceBatch<Other> x, TensorView<Real, DeviceSpace> gradient, GradientMode mode) {
  using Input = std::remove_const_t<In>;
  using Samples = detail::DeviceSamples<Input>;
  detail::check_masked_weight_gradient(layout, gradient, dy, x);
  detail::GradientLaunch<Input, Real>{executor,       Samples::of(dy),
                                      Samples::of(x), gradient.data(),
                                      mode,           "launch of masked_weight_gradient"}(layout);
}

template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void convolve_masked(CudaExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                     TensorView<Value, DeviceSpace> values, DeviceBatch<In> x, DeviceBatch<Out> y,
                     std::type_identity_t<ProductEpilogue<AccumulatorOf<Value>>> epilogue) {
  using Element = std::remove_const_t<Value>;
  using Input = std::remove_const_t<In>;
  detail::check_convolve_masked(layout, shape, values, x, y);
  detail::ProductLaunch<false, Element, Input, Out>{
      executor, values.data(), detail::DeviceSamples<Input>::of(x, shape, false),
      y,        epilogue,      "launch of convolve_masked"}(layout);
}

template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void convolve_masked_transposed(CudaExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                                TensorView<Value, DeviceSpace> values, DeviceBatch<In> dy,
                                DeviceBatch<Out> dx) {
  using Element = std::remove_const_t<Value>;
  using Input = std::remove_const_t<In>;
  detail::check_convolve_masked_transposed(layout, shape, values, dy, dx);
  detail::ProductLaunch<true, Element, Input, Out>{executor,
                                                   values.data(),
                                                   detail::DeviceSamples<Input>::of(dy, shape, true),
                                                   dx,
                                                   {},
                                                   "launch of convolve_masked_transposed"}(layout);
}

template <class Layout, class In, class Other, class Real>
requires std::same_as<std::remove_const_t<In>, std::remove_const_t<Other>> && ExactIn<In, Real>
void masked_convolution_gradient(CudaExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                                 DeviceBatch<In> dy, DeviceBatch<Other> x,
                                 TensorView<Real, DeviceSpace> gradient, GradientMode mode) {
  using Input = std::remove_const_t<In>;
  using Samples = detail::DeviceSamples<Input>;
  detail::check_masked_convolution_gradient(layout, shape, gradient, dy, x);
  detail::GradientLaunch<Input, Real>{executor,
                                      Samples::of(dy),
                                      Samples::of(x, shape, false),
                                      gradient.data(),
                                      mode,
                                      "launch of masked_convolution_gradient"}(layout);
}

template <class Element, class Real>
requires ExactIn<Element, Real>
void sum_samples(CudaExecutor const& executor, DeviceBatch<Element> batch, TensorView<Real, DeviceSpace> out,
                 GradientMode mode) {
  detail::Arguments("sum_samples").same_size("the sum", out.size(), "a sample", batch.features);
  if (batch.features == 0) return;
  using Sum = detail::SumSamples<std::remove_const_t<Element>, Real>;
  // Lanes as few as still read 32 bytes side by side, where blocks are few.
  unsigned const fewest = 32 / sizeof(Element);
  unsigned lanes = 32;
  std::size_t const wanted = detail::product_tuning_of(executor).wanted_blocks;
  while (lanes > fewest && batch.features / lanes < wanted) lanes /= 2;
  detail::launch_batch(executor,
                       Sum{detail::constant(batch), out.data(), mode, {lanes, Sum::most_threads / lanes}},
                       "launch of sum_samples");
}

template <class Element, class Other>
void gate_gradient(CudaExecutor const& executor, Activation activation, DeviceBatch<Element> y,
                   DeviceBatch<Other> dy) {
  detail::Arguments const arguments("gate_gradient");
  arguments.same_size("a sample of dy", dy.features, "one of y", y.features);
  arguments.same_size("a feature of dy", dy.samples, "one of y", y.samples);
  if (activation == Activation::identity || dy.features == 0 || dy.samples == 0) return;
  using Gate = detail::GateGradient<std::remove_const_t<Element>, Other>;
  std::size_t const width = dy.is_batch_major() ? dy.features : dy.samples;
  detail::launch_batch(executor, Gate{detail::constant(y), dy, detail::line_shape(width, Gate::most_threads)},
                       "launch of gate_gradient");
}

template <class Layout, class Real>
void clear_dead(CudaExecutor const& executor, Layout const& layout, TensorView<Real, DeviceSpace> matrix) {
  detail::Arguments("clear_dead")
      .same_size("the matrix", matrix.size(), "the mask", layout.outputs() * layout.inputs());
  if (matrix.empty()) return;
  using Clear = detail::ClearDead<Real>;
  detail::launch_batch(executor,
                       Clear{detail::EntryTable::of(layout), matrix.data(),
                             detail::line_shape(layout.inputs(), Clear::most_threads)},
                       "launch of clear_dead");
}

}  // namespace weir::inline v1
