#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "weir/cuda/executor.hpp"
#include "weir/exec/arithmetic_element.hpp"
#include "weir/exec/multi_tensor_backend.hpp"
#include "weir/exec/vocabulary.hpp"

// The verbs of the CUDA backend, declared here and defined in vocabulary.cuh: a program that another compiler
// than nvcc compiles links one .cu with `#include "weir/cuda/instantiate.cuh"`. They are those of
// host/vocabulary.hpp and give the same bits. What all have in common is said here. Streams: each enqueues on
// the executor's stream and returns; everything but the transfers can be captured. Cost: one launch, and what
// moving the bytes costs; nothing is allocated. Views may be empty and may start at any element. Errors:
// `ContractViolation` at the call, as on the host; `CudaError`.

namespace weir::inline v1 {

template <class Element>
using DeviceView = TensorView<Element, DeviceSpace>;

/// `out = value`, for any trivially copyable element of 2, 4 or 8 bytes.
template <class Element>
void fill(CudaExecutor const& executor, DeviceView<Element> out, std::type_identity_t<Element> value);

/// `out = 0`.
template <class Element>
void set_zero(CudaExecutor const& executor, DeviceView<Element> out);

/// `out = 0` if `*condition`, in device memory, is not 0 when the work runs.
template <class Element>
void clear_if(CudaExecutor const& executor, DeviceView<Element> out, std::uint64_t const* condition);

/// `out = in`, each element rounded once, to nearest even. The views are the same elements or apart.
template <class From, class To>
requires CopyableElement<From, To>
void copy(CudaExecutor const& executor, DeviceView<From> in, DeviceView<To> out);

/// `out += factor * in`, the product rounded before it is added. The views are the same elements or apart.
template <class Element, class Real>
requires ExactIn<Element, Real>
void add_scaled(CudaExecutor const& executor, DeviceView<Element> in, std::type_identity_t<Real> factor,
                DeviceView<Real> out);

/// `*out`, in device memory, becomes the `Measurement` of `in`.
template <class Element>
requires ArithmeticElement<std::remove_const_t<Element>>
void measure(CudaExecutor const& executor, DeviceView<Element> in, Measurement* out);

/// `out = ((w_0 * t_0 + w_1 * t_1) + w_2 * t_2) + ..`, each product rounded before it is added, each weight
/// rounded to `Real` before. `out` and each term are the same elements or apart. The terms themselves lie in
/// host memory and are read at the call.
///
/// Cost: one pass for up to 64 terms, also with an epilogue; one more for each further 64.
/// Errors: `ContractViolation` also where `out` would be read again in a later pass: where it is a term after
/// the first 64, or the residual of more than 64 terms.
template <class Element, class Real>
requires ExactIn<Element, Real>
void sum_weighted(CudaExecutor const& executor, std::span<WeightedTerm<Element, DeviceSpace> const> terms,
                  DeviceView<Real> out, SumEpilogue epilogue = {});

/// `step()`, once, on the device.
template <std::invocable Step>
void apply_scalars(CudaExecutor const& executor, Step step);

/// A step of stochastic gradient descent, as on the host.
template <std::floating_point Real>
void sgd_update(CudaExecutor const& executor, std::type_identity_t<DeviceView<Real const>> weights,
                DeviceView<Real> out, std::type_identity_t<DeviceView<Real const>> gradient,
                std::type_identity_t<DeviceView<Real>> velocity, SgdConstants constants,
                OptimizerState const* state, GradientScale scale);

/// A step of Adam with decoupled weight decay, as on the host.
template <std::floating_point Real>
void adamw_update(CudaExecutor const& executor, std::type_identity_t<DeviceView<Real const>> weights,
                  DeviceView<Real> out, std::type_identity_t<DeviceView<Real const>> gradient,
                  std::type_identity_t<DeviceView<Real>> first_moment,
                  std::type_identity_t<DeviceView<Real>> second_moment, AdamConstants constants,
                  OptimizerState const* state, GradientScale scale);

/// `sgd_update` of all pieces of a list, in one launch. The gradient is the sum of 1 to `most_update_terms`
/// terms of the bucket, taken as `sum_weighted` does and written nowhere; the velocity is that of the bucket,
/// too. Copies of the weights are written on the way, also in a step that is skipped. The pieces are the same
/// weights in and out or apart, and apart from all else. The terms themselves lie in host memory and are read
/// at the call.
///
/// Cost: one pass over the terms, the weights, the velocity and the copies.
template <class Element, std::floating_point Real>
requires UpdateTerm<Element, Real>
void sgd_update_pieces(CudaExecutor const& executor, UpdateList<Real> const& list,
                       std::span<WeightedTerm<Element, DeviceSpace> const> terms,
                       std::type_identity_t<DeviceView<Real>> velocity, SgdConstants constants,
                       OptimizerState const* state, GradientScale scale);

/// The same of `adamw_update`.
template <class Element, std::floating_point Real>
requires UpdateTerm<Element, Real>
void adamw_update_pieces(CudaExecutor const& executor, UpdateList<Real> const& list,
                         std::span<WeightedTerm<Element, DeviceSpace> const> terms,
                         std::type_identity_t<DeviceView<Real>> first_moment,
                         std::type_identity_t<DeviceView<Real>> second_moment, AdamConstants constants,
                         OptimizerState const* state, GradientScale scale);

/// Copies `bytes` bytes. The host's memory stays as it is until the stream has passed this place; the caller
/// goes on at once only where it is pinned. Errors: `NotCapturable`.
inline void copy_to_host(CudaExecutor const& executor, void const* from, void* to, std::size_t bytes) {
  if (bytes == 0) return;
  refuse_capture(executor.stream(), "copy_to_host");
  DeviceGuard const guard(executor.device());
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, executor.stream()), "cudaMemcpyAsync");
}

/// The same, the other way.
inline void copy_from_host(CudaExecutor const& executor, void const* from, void* to, std::size_t bytes) {
  if (bytes == 0) return;
  refuse_capture(executor.stream(), "copy_from_host");
  DeviceGuard const guard(executor.device());
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, executor.stream()), "cudaMemcpyAsync");
}

static_assert(SummingBackend<CudaExecutor> && MeasuringBackend<CudaExecutor> &&
              UpdatingBackend<CudaExecutor> && ConditionalBackend<CudaExecutor> &&
              StagingBackend<CudaExecutor>);

}  // namespace weir::inline v1

// After what a view of a device is. They belong to the vocabulary: whoever sees the verbs sees all of them.
#include "weir/cuda/masked_product.hpp"
#include "weir/cuda/sparsify.hpp"
