#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "support/cuda/verbs.hpp"
#include "weir/cuda/masked_product.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/clear_dead.hpp"
#include "weir/host/masked_product.hpp"

// The verbs of masked layers on the stand-in: in the place of weir/cuda/masked_product.cuh. A batch is read
// and written from its first element to its last, with what lies between its lines.

namespace stand_in {

template <class Element>
weir::HostBatch<Element> on_host(weir::DeviceBatch<Element> const& batch) {
  return {batch.data, batch.samples, batch.features, batch.stride, batch.order};
}
template <class Element>
Access reads(weir::DeviceBatch<Element> const& batch) {
  return reads(batch.data, batch.extent());
}
template <class Element>
Access writes(weir::DeviceBatch<Element> const& batch) {
  return writes(batch.data, batch.extent());
}

/// What a product reads and writes. Gradients that are added to are read, too.
template <class Real>
void add_bias(std::vector<Access>& accesses, weir::ProductEpilogue<Real> const& epilogue,
              std::size_t outputs) {
  if (epilogue.bias != nullptr) accesses.push_back(reads(epilogue.bias, outputs));
}
template <class Real>
std::vector<Access> gradient_accesses(Access const& dy, Access const& x,
                                      weir::TensorView<Real, weir::DeviceSpace> gradient,
                                      weir::GradientMode mode) {
  std::vector<Access> all{dy, x};
  if (mode == weir::GradientMode::accumulate) all.push_back(reads(gradient));
  all.push_back(writes(gradient));
  return all;
}

}  // namespace stand_in

namespace weir::inline v1 {

template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void multiply_masked(CudaExecutor const& executor, Layout const& layout,
                     TensorView<Value, DeviceSpace> values, DeviceBatch<In> x, DeviceBatch<Out> y,
                     std::type_identity_t<ProductEpilogue<AccumulatorOf<Value>>> epilogue) {
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses{stand_in::reads(values), stand_in::reads(x)};
  stand_in::add_bias(accesses, epilogue, layout.outputs());
  accesses.push_back(stand_in::writes(y));
  stand_in::enqueue(executor, "multiply_masked", std::move(accesses), [=] {
    multiply_masked(stand_in::host(), layout, stand_in::on_host(values), stand_in::on_host(x),
                    stand_in::on_host(y), epilogue);
  });
}

template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void multiply_masked_transposed(CudaExecutor const& executor, Layout const& layout,
                                TensorView<Value, DeviceSpace> values, DeviceBatch<In> dy,
                                DeviceBatch<Out> dx) {
  stand_in::Inside const inside;
  stand_in::enqueue(executor, "multiply_masked_transposed",
                    {stand_in::reads(values), stand_in::reads(dy), stand_in::writes(dx)}, [=] {
                      multiply_masked_transposed(stand_in::host(), layout, stand_in::on_host(values),
                                                 stand_in::on_host(dy), stand_in::on_host(dx));
                    });
}

template <class Layout, class In, class Other, class Real>
requires std::same_as<std::remove_const_t<In>, std::remove_const_t<Other>> && ExactIn<In, Real>
void masked_weight_gradient(CudaExecutor const& executor, Layout const& layout, DeviceBatch<In> dy,
                            DeviceBatch<Other> x, TensorView<Real, DeviceSpace> gradient, GradientMode mode) {
  stand_in::Inside const inside;
  stand_in::enqueue(executor, "masked_weight_gradient",
                    stand_in::gradient_accesses(stand_in::reads(dy), stand_in::reads(x), gradient, mode),
                    [=] {
                      masked_weight_gradient(stand_in::host(), layout, stand_in::on_host(dy),
                                             stand_in::on_host(x), stand_in::on_host(gradient), mode);
                    });
}

template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void convolve_masked(CudaExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                     TensorView<Value, DeviceSpace> values, DeviceBatch<In> x, DeviceBatch<Out> y,
                     std::type_identity_t<ProductEpilogue<AccumulatorOf<Value>>> epilogue) {
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses{stand_in::reads(values), stand_in::reads(x)};
  stand_in::add_bias(accesses, epilogue, layout.outputs());
  accesses.push_back(stand_in::writes(y));
  stand_in::enqueue(executor, "convolve_masked", std::move(accesses), [=] {
    convolve_masked(stand_in::host(), layout, shape, stand_in::on_host(values), stand_in::on_host(x),
                    stand_in::on_host(y), epilogue);
  });
}

template <class Layout, class Value, class In, class Out>
requires ExactIn<In, AccumulatorOf<Value>> && ArithmeticElement<Out>
void convolve_masked_transposed(CudaExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                                TensorView<Value, DeviceSpace> values, DeviceBatch<In> dy,
                                DeviceBatch<Out> dx) {
  stand_in::Inside const inside;
  stand_in::enqueue(executor, "convolve_masked_transposed",
                    {stand_in::reads(values), stand_in::reads(dy), stand_in::writes(dx)}, [=] {
                      convolve_masked_transposed(stand_in::host(), layout, shape, stand_in::on_host(values),
                                                 stand_in::on_host(dy), stand_in::on_host(dx));
                    });
}

template <class Layout, class In, class Other, class Real>
requires std::same_as<std::remove_const_t<In>, std::remove_const_t<Other>> && ExactIn<In, Real>
void masked_convolution_gradient(CudaExecutor const& executor, Layout const& layout, ConvolutionShape shape,
                                 DeviceBatch<In> dy, DeviceBatch<Other> x,
                                 TensorView<Real, DeviceSpace> gradient, GradientMode mode) {
  stand_in::Inside const inside;
  stand_in::enqueue(executor, "masked_convolution_gradient",
                    stand_in::gradient_accesses(stand_in::reads(dy), stand_in::reads(x), gradient, mode),
                    [=] {
                      masked_convolution_gradient(stand_in::host(), layout, shape, stand_in::on_host(dy),
                                                  stand_in::on_host(x), stand_in::on_host(gradient), mode);
                    });
}

template <class Element, class Real>
requires ExactIn<Element, Real>
void sum_samples(CudaExecutor const& executor, DeviceBatch<Element> batch, TensorView<Real, DeviceSpace> out,
                 GradientMode mode) {
  stand_in::Inside const inside;
  std::vector<stand_in::Access> accesses{stand_in::reads(batch)};
  if (mode == GradientMode::accumulate) accesses.push_back(stand_in::reads(out));
  accesses.push_back(stand_in::writes(out));
  stand_in::enqueue(executor, "sum_samples", std::move(accesses), [=] {
    sum_samples(stand_in::host(), stand_in::on_host(batch), stand_in::on_host(out), mode);
  });
}

template <class Element, class Other>
void gate_gradient(CudaExecutor const& executor, Activation activation, DeviceBatch<Element> y,
                   DeviceBatch<Other> dy) {
  stand_in::Inside const inside;
  if (activation == Activation::identity) return;
  stand_in::enqueue(
      executor, "gate_gradient", {stand_in::reads(y), stand_in::reads(dy), stand_in::writes(dy)},
      [=] { gate_gradient(stand_in::host(), activation, stand_in::on_host(y), stand_in::on_host(dy)); });
}

template <class Layout, class Real>
void clear_dead(CudaExecutor const& executor, Layout const& layout, TensorView<Real, DeviceSpace> matrix) {
  stand_in::Inside const inside;
  stand_in::enqueue(executor, "clear_dead", {stand_in::reads(matrix), stand_in::writes(matrix)},
                    [=] { clear_dead(stand_in::host(), layout, stand_in::on_host(matrix)); });
}

}  // namespace weir::inline v1
