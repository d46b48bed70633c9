#pragma once

#include <concepts>
#include <type_traits>

#include "weir/cuda/executor.hpp"
#include "weir/exec/arithmetic_element.hpp"
#include "weir/exec/batch_view.hpp"
#include "weir/exec/convolution_shape.hpp"
#include "weir/exec/masked_product.hpp"
#include "weir/tensor/view.hpp"

// Products with a matrix of which only live entries exist, and what a layer needs besides: those of
// host/masked_product.hpp, host/masked_convolution.hpp, host/batch_verbs.hpp and host/clear_dead.hpp,
// declared here and defined in masked_product.cuh. The tables of a layout, the bias and all views lie in
// device memory. Streams: one launch (a gradient of a cut mask: and one memset) on the executor's stream;
// nothing is allocated, and everything can be captured. Sums have a fixed order, so that two runs give the
// same bits; those of another device generation, and of the host, may differ in the last ones. Sums are kept
// in float, or double for double. Only live entries are multiplied, but for tiles, which are dense. Cost:
// fastest for group designs of p = 2, and for tiles of 32, 64 or 128 of 16-bit elements with samples one
// after another whose lines begin at multiples of 16 bytes, which tensor cores take, where the kernels were
// compiled for sm_80 or later; those of compute capability 9.0 at their full rate where it was for sm_90a.
// Errors: `ContractViolation` at the call, for sizes that do not belong together and memory in common;
// `CudaError`.

namespace weir::inline v1 {

template <class Element>
using DeviceBatch = BatchView<Element, DeviceSpace>;

/// `y = activation(x W^T + bias)`.
///
/// Shapes: x samples x inputs, y samples x outputs, values `value_count()`, bias one per output or null.
template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void multiply_masked(CudaExecutor const& executor, Layout const& layout,
                     TensorView<Value, DeviceSpace> values, DeviceBatch<In> x, DeviceBatch<Out> y,
                     std::type_identity_t<ProductEpilogue<AccumulatorOf<Value>>> epilogue = {});

/// `dx = dy W`, with the same values.
template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void multiply_masked_transposed(CudaExecutor const& executor, Layout const& layout,
                                TensorView<Value, DeviceSpace> values, DeviceBatch<In> dy,
                                DeviceBatch<Out> dx);

/// `gradient[e]` becomes, or is increased by, the sum over samples of dy(., row of e) x(., column of e) for
/// each live entry e. Padding becomes zero or stays as it is.
template <class Layout, class In, class Other, class Real>
requires std::same_as<std::remove_const_t<In>, std::remove_const_t<Other>> && ExactIn<In, Real>
void masked_weight_gradient(CudaExecutor const& executor, Layout const& layout, DeviceBatch<In> dy,
                            DeviceBatch<Other> x, TensorView<Real, DeviceSpace> gradient, GradientMode mode);

/// y = activation(convolution of x + bias), with pixels as samples.
///
/// Shapes: x input pixels x inputs of the mask, y output pixels x outputs, values taps times
/// `value_count()`. Errors: `ContractViolation`, also where the kernel does not fit.
template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void convolve_masked(CudaExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                     TensorView<Value, DeviceSpace> values, DeviceBatch<In> x, DeviceBatch<Out> y,
                     std::type_identity_t<ProductEpilogue<AccumulatorOf<Value>>> epilogue = {});

/// dx from dy, with the same values.
template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void convolve_masked_transposed(CudaExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                                TensorView<Value, DeviceSpace> values, DeviceBatch<In> dy,
                                DeviceBatch<Out> dx);

/// The gradient of the values, tap by tap as they are.
template <class Layout, class In, class Other, class Real>
requires std::same_as<std::remove_const_t<In>, std::remove_const_t<Other>> && ExactIn<In, Real>
void masked_convolution_gradient(CudaExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                                 DeviceBatch<In> dy, DeviceBatch<Other> x,
                                 TensorView<Real, DeviceSpace> gradient, GradientMode mode);

/// `out[f]` becomes, or is increased by, the sum of feature f over all samples, in a fixed order.
template <class Element, class Real>
requires ExactIn<Element, Real>
void sum_samples(CudaExecutor const& executor, DeviceBatch<Element> batch, TensorView<Real, DeviceSpace> out,
                 GradientMode mode);

/// With `relu`, `dy` becomes 0 where `y` is not above 0.
template <class Element, class Other>
void gate_gradient(CudaExecutor const& executor, Activation activation, DeviceBatch<Element> y,
                   DeviceBatch<Other> dy);

/// Sets what a mask does not hold to 0 in a dense matrix, row-major, outputs x inputs.
template <class Layout, class Real>
void clear_dead(CudaExecutor const& executor, Layout const& layout, TensorView<Real, DeviceSpace> matrix);

static_assert(MaskingBackend<CudaExecutor>);

}  // namespace weir::inline v1
