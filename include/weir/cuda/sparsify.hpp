#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "weir/cuda/executor.hpp"
#include "weir/cuda/sparsify_layout.hpp"
#include "weir/exec/arithmetic_element.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/threshold_policy.hpp"
#include "weir/exec/two_sided_view.hpp"

// The verbs of sparsification of the CUDA backend, declared here and defined in sparsify.cuh. They are those
// of host/sparsify.hpp and give the same bits; what is said in cuda/vocabulary.hpp holds for them, too. No
// count is read by the host: at most as much is touched as the views hold.

namespace weir::inline v1 {

template <class Element>
using DeviceTwoSidedView = TwoSidedView<Element, DeviceSpace>;

/// How much memory `SparsifyWork::scratch` has to be, aligned to 16 bytes, for buckets of up to that size:
/// two bytes and a half for each element of `float`, three and a half of `double`. Units: bytes.
template <std::floating_point Real>
std::size_t sparsify_scratch_bytes(CudaExecutor const&, std::size_t size, double) {
  return detail::SparsifyLayout::most_bytes(size, sizeof(Real));
}

/// Sparsifies a bucket, as `SparsifyWork` and the policy say. The work and its terms are read at the call.
///
/// Cost: three launches, whatever the search needs: one that looks at a sample, a pass that makes the
/// accumulator, and one whose blocks search together, which have the device to themselves until they have
/// all begun. With a ranked policy, or a threshold of an earlier step, later passes read what may be selected
/// and nothing else.
/// Errors: `ContractViolation` also for more than 64 terms.
template <class Element, class Real, class Index, ThresholdPolicy Policy>
requires ExactIn<Element, Real>
void sparsify(CudaExecutor const& executor, SparsifyWork<Element, Real, DeviceSpace, Index> const& work,
              Policy const& policy);

/// `out[indices[i]] += values[i]` for the first `*count` pairs, whose indices are distinct.
template <class Index, class Real>
void scatter_add(CudaExecutor const& executor, DeviceView<Index> indices, DeviceView<Real> values,
                 std::uint64_t const* count, std::type_identity_t<DeviceView<std::remove_const_t<Real>>> out);

/// The same into the valid side.
template <class Index, class Real>
void scatter_add(CudaExecutor const& executor, DeviceView<Index> indices, DeviceView<Real> values,
                 std::uint64_t const* count, DeviceTwoSidedView<std::remove_const_t<Real>> out);

/// The same for the values that are finite.
template <class Index, class Real>
void scatter_add_finite(CudaExecutor const& executor, DeviceView<Index> indices, DeviceView<Real> values,
                        std::uint64_t const* count, DeviceTwoSidedView<std::remove_const_t<Real>> out);

/// `values[i] = in[indices[i]]` for the first `*count` indices.
template <class Element, class Index, class Real>
requires std::same_as<std::remove_const_t<Element>, Real>
void gather(CudaExecutor const& executor, DeviceView<Element> in, DeviceView<Index> indices,
            std::uint64_t const* count, DeviceView<Real> values);

/// `out[indices[i]] = 0` for the first `*count` indices.
template <class Index, class Real>
void zero_at(CudaExecutor const& executor, DeviceView<Index> indices, std::uint64_t const* count,
             DeviceView<Real> out);

/// The same of the valid side.
template <class Index, class Real>
void zero_at(CudaExecutor const& executor, DeviceView<Index> indices, std::uint64_t const* count,
             DeviceTwoSidedView<Real> out);

/// `values[i]` becomes the valid side at `indices[i]`, which becomes +0 there; indices are distinct.
template <class Index, class Real>
void take_at(CudaExecutor const& executor, DeviceTwoSidedView<Real> from, DeviceView<Index> indices,
             std::uint64_t const* count, DeviceView<Real> values);

/// `out` becomes the valid side, which becomes +0.
template <class Real>
void take_all(CudaExecutor const& executor, DeviceTwoSidedView<Real> from,
              std::type_identity_t<DeviceView<Real>> out);

/// `out` becomes the valid side.
template <class Real>
void copy(CudaExecutor const& executor, DeviceTwoSidedView<Real> in,
          std::type_identity_t<DeviceView<Real>> out);

/// The valid side becomes `in`.
template <class Real>
void copy(CudaExecutor const& executor, std::type_identity_t<DeviceView<Real const>> in,
          DeviceTwoSidedView<Real> out);

/// The valid side becomes 0.
template <class Real>
void set_zero(CudaExecutor const& executor, DeviceTwoSidedView<Real> out);

}  // namespace weir::inline v1
