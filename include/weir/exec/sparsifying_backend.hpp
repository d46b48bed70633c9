#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/threshold_policy.hpp"
#include "weir/exec/vocabulary.hpp"

namespace weir::inline v1 {

/// The backend can sparsify with a policy: gradients of `Element`, accumulated in `Real`.
template <class E, class Policy, class Element = float, class Real = float>
concept SparsifyingBackend = ThresholdPolicy<Policy> && Executor<E> &&
    requires(E const& e, SparsifyWork<Element, Real, typename E::memory_space> const& work,
             Policy const& policy) {
  { sparsify_scratch_bytes<Real>(e, std::size_t{}, 0.01) } -> std::same_as<std::size_t>;
  sparsify(e, work, policy);
};

/// The backend can move the pairs of a selection into and out of vectors. Indices are distinct, counts lie in
/// the executor's memory.
template <class E, class Real = float>
concept ScatteringBackend = Executor<E> &&
    requires(E const& e, ViewOn<std::uint32_t, E> indices, ViewOn<Real, E> values, std::uint64_t const* count,
             ViewOn<Real, E> dense, TwoSidedView<Real, typename E::memory_space> residual) {
  scatter_add(e, indices, values, count, dense);
  scatter_add(e, indices, values, count, residual);
  scatter_add_finite(e, indices, values, count, residual);
  gather(e, ViewOn<Real const, E>(dense), indices, count, values);
  take_at(e, residual, indices, count, values);
  take_all(e, residual, dense);
  zero_at(e, indices, count, dense);
  zero_at(e, indices, count, residual);
};

}  // namespace weir::inline v1
