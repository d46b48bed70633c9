#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/comm/pair_list.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/sparse_method.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {
namespace detail {

inline void require_shared_indices(bool shares_indices) {
  if (shares_indices) return;
  throw ContractViolation(
      "SharedIndices: the ranks have not selected the same slots; it takes what a selection with the same "
      "seed on all ranks gives, such as RandomK");
}

template <class Real>
struct SharedIndicesRoom {
  explicit SharedIndicesRoom(SparseLimits const& limits) : capacity(limits.capacity) {}

  static constexpr std::size_t gathered(std::size_t) { return 1; }
  std::size_t bytes() const { return capacity * sizeof(Real); }

  std::size_t capacity;
};

template <class Real, HostOrderedExecutor E, class C>
class SharedIndicesSum {
 public:
  using Sum = SparseSum<Real, HostSpace>;
  using Room = SharedIndicesRoom<Real>;

  explicit SharedIndicesSum(SparseContext<Real, E, C> const& context)
      : values_(context.executor, context.capacity) {}

  void operator()(PairExchange<C, E>& exchange, E const& point, Sum const& sum, PairCounts const& counts) {
    require_shared_indices(sum.shares_indices);
    PairList<Real> const mine = pairs_of(sum);
    if (counts.total() != counts.largest() * counts.size()) {
      throw ContractViolation("SharedIndices: this rank has " + std::to_string(mine.count) +
                              " slots, the one that has most " + std::to_string(counts.largest()) +
                              "; all have the same");
    }
    auto const values = values_.take(mine.count);
    for (std::size_t j = 0; j < mine.count; ++j) values[j] = mine.values[j];
    exchange.communicator().all_reduce(point, values);
    PairList<Real> result{mine.indices, values.data(), mine.count};
    sum_lists(point, {&result, 1}, sum.out);
  }

 private:
  GrowingBuffer<Real, E> values_;
};

/// On a device: over the whole capacity, of which what was not selected is never read again.
template <class Real, Executor E, class C>
class BoundDeviceSharedIndices {
  using Space = typename E::memory_space;

 public:
  explicit BoundDeviceSharedIndices(SparseContext<Real, E, C> const& context)
      : communicator_(context.communicator), values_(context.executor, context.capacity) {
    if constexpr (ReservingCommunicator<C, E>)
      communicator_.reserve(context.executor, context.capacity * sizeof(Real));
  }

  void operator()(E const& point, SparseSum<Real, Space> const& sum) {
    require_shared_indices(sum.shares_indices);
    auto const values = values_.take(sum.values.size());
    copy(point, sum.values, values);
    communicator_.all_reduce(point, values);
    set_zero(point, sum.out);
    scatter_add(point, sum.indices, ViewOn<Real const, E>(values), sum.count, sum.out);
  }

 private:
  C communicator_;
  GrowingBuffer<Real, E> values_;
};

}  // namespace detail

/// Where all ranks have selected the same slots only the values travel, as a dense sum of k of them.
///
/// The bits are those of a dense sum by the communicator. Cost: 2 L alpha + 2 f k s_v beta; memory for the
/// values of a capacity. Streams: on a device it only enqueues; on a host it also compares the ranks' counts.
/// Errors: `ContractViolation` where the indices are not shared, or a rank has selected none; those of the
/// communicator.
struct SharedIndices {
  static constexpr SparseMethod method = SparseMethod::shared_indices;
  static constexpr char const* name = "shared indices";

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundSparseSum<detail::SharedIndicesSum<Real, E, C>, Real, E, C>(context);
  }

  template <class Real, Executor E, ReducingCommunicator<E, Real> C>
  requires(!HostOrderedExecutor<E>) auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundDeviceSharedIndices<Real, E, C>(context);
  }

  /// Units: bytes.
  template <class Real>
  static std::size_t workspace_bytes(SparseLimits const& limits) {
    return detail::sparse_sum_bytes(limits, detail::SharedIndicesRoom<Real>(limits));
  }
};

}  // namespace weir::inline v1
