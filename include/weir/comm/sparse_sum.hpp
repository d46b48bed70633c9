#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include "weir/comm/concepts.hpp"
#include "weir/exec/take_part.hpp"
#include "weir/exec/two_sided_view.hpp"
#include "weir/tensor/element_type.hpp"
#include "weir/tensor/view.hpp"

namespace weir::inline v1 {

/// What this rank has selected of a bucket, and where the sum over all ranks goes.
///
/// Shapes: `indices` and `values` have the capacity, and the first `*count` of them are meant: distinct slots
/// of the bucket, ascending. `out` is as large as the bucket.
template <class Real, class Space>
struct SparseSum {
  TensorView<std::uint32_t const, Space> indices;
  TensorView<Real const, Space> values;
  std::uint64_t const* count = nullptr;  // in the same memory; after it, how many there were to be
  /// How the selection ended, in the same memory. Null: it was skipped if nothing is selected.
  SparsifyStatus const* status = nullptr;
  TensorView<std::uint64_t const, Space> block =
      {};                                         // the three in one piece, as a `PairBlocks` block; or empty
  ElementType precision = element_type_of<Real>;  // a type in which every value is exact
  bool shares_indices = false;                    // all ranks have selected the same slots
  TensorView<Real, Space> out =
      {};  // without a residual it holds the values of all slots until it is written
  TwoSidedView<Real, Space> residual = {};  // what was not selected; empty where that is forgotten
  std::uint64_t step = 0;

  RankPart part() const { return {status, count}; }
};

/// The largest sums that will be taken, from which follows how much memory they need.
struct SparseLimits {
  std::size_t ranks = 1;
  std::size_t elements = 0;  // of the largest bucket
  std::size_t capacity = 0;  // the largest; 0 where it is not known yet
};

/// Where sparse sums will be taken. Everything referred to outlives what is bound.
template <class Real, Executor E, RankedCommunicator C>
struct SparseContext {
  E executor;  // for allocations, too
  C communicator;
  std::size_t elements = 0;  // as in `SparseLimits`
  std::size_t capacity = 0;

  SparseLimits limits() const { return {communicator.size(), elements, capacity}; }
};

/// A way to sum over ranks what each has selected. `on` makes the object for one rank; all ranks call it with
/// the sums of the same buckets in the same order.
///
/// What it does not send it adds to the residual: `residual[i] += value`. The call `bound(point, sum)` is
/// made where the work happens: on a point of a host stream, or on a device's, where it enqueues. The bound
/// object may have `abort()`, and `check()`, as a communicator has, for further communicators of its own, and
/// `waits()`: whether its call waits on a device. The policy may have `workspace_bytes<Real>(limits)`: what
/// `on` takes from an executor of the host. Sums within these limits take nothing more, there and on a
/// device.
template <class Policy, class Real, class E, class C>
concept SparseCollective = std::copyable<Policy> && Executor<E> && RankedCommunicator<C> &&
    requires(Policy const& policy, SparseContext<Real, E, C> const& context, E const& point,
             SparseSum<Real, typename E::memory_space> const& sum) {
  policy.on(context)(point, sum);
};

}  // namespace weir::inline v1
