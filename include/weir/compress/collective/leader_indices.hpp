#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/comm/pair_list.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/sparse_method.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/take_part.hpp"

namespace weir::inline v1 {
namespace detail {

inline void require_residual(bool has_residual) {
  if (has_residual) return;
  throw ContractViolation(
      "LeaderIndices: a rank sends what it has at the slots of another; only a residual, as ErrorFeedback "
      "has it, keeps that");
}

template <class Real>
struct LeaderIndicesRoom {
  explicit LeaderIndicesRoom(SparseLimits const& limits) : capacity(limits.capacity) {}

  static constexpr std::size_t gathered(std::size_t) { return 1; }
  std::size_t bytes() const { return capacity * (sizeof(std::uint32_t) + sizeof(Real)); }

  std::size_t capacity;
};

template <class Real, HostOrderedExecutor E, class C>
class LeaderIndicesSum {
 public:
  using Sum = SparseSum<Real, HostSpace>;
  using Room = LeaderIndicesRoom<Real>;

  explicit LeaderIndicesSum(SparseContext<Real, E, C> const& context)
      : indices_(context.executor, context.capacity), values_(context.executor, context.capacity) {}

  void operator()(PairExchange<C, E>& exchange, E const& point, Sum const& sum, PairCounts const& counts) {
    Real* const residual = residual_of(sum);
    require_residual(residual != nullptr || sum.out.empty());
    std::size_t const leader = sum.step % exchange.size();
    std::size_t const count = counts[leader];
    auto const indices = indices_.take(count);
    if (leader == exchange.rank()) {
      for (std::size_t j = 0; j < count; ++j) indices[j] = sum.indices[j];
    }
    exchange.communicator().broadcast(point, indices, leader);
    bool const takes_part = sum.part().is_taken();  // a step that is skipped leaves the residual alone
    PairList<Real> const own = pairs_of(sum);
    for (std::size_t j = 0; j < own.count; ++j) {
      if (own.values[j] != 0) residual[own.indices[j]] += own.values[j];
    }
    auto const values = values_.take(count);
    for (std::size_t j = 0; j < count; ++j) {
      values[j] = takes_part ? residual[indices[j]] : Real{};
      if (takes_part) residual[indices[j]] = Real{};
    }
    for (std::size_t j = 0; j < own.count; ++j) {  // what is not finite stays nowhere
      Real& left = residual[own.indices[j]];
      if (!is_finite(left)) left = Real{};
    }
    exchange.communicator().all_reduce(point, values);
    PairList<Real> result{indices.data(), values.data(), count};
    sum_lists(point, {&result, 1}, sum.out);
  }

 private:
  GrowingBuffer<std::uint32_t, E> indices_;
  GrowingBuffer<Real, E> values_;
};

/// On a device: over the whole capacity, of which what was not selected is never read again.
template <class Real, Executor E, class C>
class BoundDeviceLeaderIndices {
  using Space = typename E::memory_space;

 public:
  explicit BoundDeviceLeaderIndices(SparseContext<Real, E, C> const& context)
      : communicator_(context.communicator),
        chosen_(context.executor, words(context.capacity)),
        values_(context.executor, context.capacity),
        left_(context.executor, context.capacity),
        sent_(context.executor, 1) {
    if constexpr (ReservingCommunicator<C, E>)
      communicator_.reserve(context.executor, words(context.capacity) * sizeof(std::uint64_t));
  }

  void operator()(E const& point, SparseSum<Real, Space> const& sum) {
    require_residual(!sum.residual.empty() || sum.out.empty());
    std::size_t const capacity = sum.indices.size();
    std::size_t const leader = sum.step % communicator_.size();
    auto const chosen = chosen_.take(words(capacity));
    if (!has_met(capacity)) meet(point, chosen);
    ViewOn<std::uint32_t, E> const indices(reinterpret_cast<std::uint32_t*>(chosen.data() + 1), capacity);
    if (leader == communicator_.rank()) {
      copy(point, ViewOn<std::uint64_t const, E>(sum.count, 1), chosen.part(0, 1));
      copy(point, sum.indices, indices);
    }
    communicator_.broadcast(point, chosen, leader);
    ViewOn<std::uint32_t const, E> const slots(indices);
    apply_scalars(point, TakePart{sum.part(), chosen.data(), sent_.data()});
    scatter_add(point, sum.indices, sum.values, sum.count, sum.residual);
    auto const values = values_.take(capacity);
    set_zero(point, values);
    take_at(point, sum.residual, slots, sent_.data(), values);
    auto const left = left_.take(capacity);  // what is not finite stays nowhere
    take_at(point, sum.residual, sum.indices, sum.count, left);
    scatter_add_finite(point, sum.indices, ViewOn<Real const, E>(left), sum.count, sum.residual);
    communicator_.all_reduce(point, values);
    set_zero(point, sum.out);
    scatter_add(point, slots, ViewOn<Real const, E>(values), chosen.data(), sum.out);
  }

 private:
  /// Whether that was called with the capacity before.
  bool has_met(std::size_t capacity) {
    for (std::size_t const known : capacities_) {
      if (known == capacity) return true;
    }
    capacities_.push_back(capacity);
    return false;
  }
  /// Every rank is the leader once, for a communicator that has to know an operation before it is captured.
  void meet(E const& point, ViewOn<std::uint64_t, E> chosen) {
    set_zero(point, chosen);
    for (std::size_t rank = 0; rank < communicator_.size(); ++rank)
      communicator_.broadcast(point, chosen, rank);
  }

  /// The count, then the indices.
  static constexpr std::size_t words(std::size_t capacity) { return 1 + (capacity + 1) / 2; }

  C communicator_;
  GrowingBuffer<std::uint64_t, E> chosen_;
  GrowingBuffer<Real, E> values_;
  GrowingBuffer<Real, E> left_;
  Buffer<std::uint64_t, E> sent_;
  std::vector<std::size_t> capacities_;
};

}  // namespace detail

/// One rank, another each step, says which slots are summed, and all send what they have there, selected or
/// not; the rest stays in the residual.
///
/// The bits are those of a dense sum by the communicator at those slots. A rank that has selected nothing
/// sends nothing. Cost: 3 L alpha + (2 f k s_v + k s_i) beta; memory for a capacity. Streams: on a point of a
/// host stream; nobody else waits. On a device it only enqueues, with k the capacity, and takes the values of
/// another one; what a graph replays has the leader of the step that was captured. Errors:
/// `ContractViolation` where there is no residual; those of the communicator. Source: [chen2020].
struct LeaderIndices {
  static constexpr SparseMethod method = SparseMethod::leader_indices;
  static constexpr char const* name = "leader's indices";

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  requires BroadcastingCommunicator<C, E, std::uint32_t>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundSparseSum<detail::LeaderIndicesSum<Real, E, C>, Real, E, C>(context);
  }

  template <class Real, Executor E, ReducingCommunicator<E, Real> C>
  requires(!HostOrderedExecutor<E> && BroadcastingCommunicator<C, E, std::uint64_t>) auto on(
      SparseContext<Real, E, C> const& context) const {
    return detail::BoundDeviceLeaderIndices<Real, E, C>(context);
  }

  /// Units: bytes.
  template <class Real>
  static std::size_t workspace_bytes(SparseLimits const& limits) {
    return detail::sparse_sum_bytes(limits, detail::LeaderIndicesRoom<Real>(limits));
  }
};

}  // namespace weir::inline v1
