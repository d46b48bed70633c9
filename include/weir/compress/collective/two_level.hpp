#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/even_split.hpp"
#include "weir/comm/gather_pairs.hpp"
#include "weir/comm/group.hpp"
#include "weir/comm/pair_list.hpp"
#include "weir/comm/wait_for_ranks.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/threshold/everything.hpp"
#include "weir/core/error.hpp"
#include "weir/core/smaller.hpp"
#include "weir/exec/selection.hpp"
#include "weir/exec/sparsify_work.hpp"
#include "weir/exec/threshold_state.hpp"

namespace weir::inline v1 {

/// A dense sum inside each node, where messages are cheap, and a sparse one between nodes: every rank of a
/// node adds up one part of the bucket, sums it with the ranks of the same place in their nodes as `policy`
/// says, and hands it to the others of its node.
///
/// ```
/// weir::Mesh const mesh{world, {{"node", 2}, {"place", 4}}};
/// weir::AllReduce{world, weir::TwoLevel{mesh.axis("place"), mesh.axis("node"), weir::SplitAllGather{}}}
/// ```
/// What the policy rejects, sums of a node, goes to the residual of the rank that adds up that part. Shapes:
/// the ranks of `inside` times those of `between` are all ranks; ranks of one place in `inside` share
/// `between`. Cost: a reduce-scatter and a gather of the bucket inside, and the policy's for the part of one
/// rank, with the slots that the node has selected there; a pass over the bucket; memory for these slots, on
/// a device also that of a selection, and the policy's. Streams: on a point of a host stream; nobody else
/// waits. On a device it only enqueues, where the policy does. Errors: `ContractViolation` for groups that
/// are not all ranks; those of the communicators.
template <class Inside, class Between, class Policy>
class TwoLevel {
 public:
  static constexpr char const* name = "two-level";

  TwoLevel(Inside inside, Between between, Policy policy)
      : inside_(std::move(inside)), between_(std::move(between)), policy_(std::move(policy)) {}

  std::size_t ranks_per_node() const { return inside_.size(); }

  template <class Real, HostOrderedExecutor E, RankedCommunicator C>
  requires SparseCollective<Policy, Real, E, Between> && PointToPointCommunicator<Inside, E> &&
      ScatteringCommunicator<Inside, E, Real> && GatheringCommunicator<Inside, E, std::uint64_t>
  auto on(SparseContext<Real, E, C> const& context) const {
    check_groups(context.communicator.size());
    return Bound<Real, E>(*this, context.executor, context.elements, context.capacity);
  }

  template <class Real, Executor E, RankedCommunicator C>
  requires(!HostOrderedExecutor<E> && SparseCollective<Policy, Real, E, Between> &&
           PointToPointCommunicator<Inside, E> &&
           ScatteringCommunicator<Inside, E, Real>) auto on(SparseContext<Real, E, C> const& context) const {
    check_groups(context.communicator.size());
    return DeviceBound<Real, E, C>(*this, context);
  }

  /// With what the policy says that it takes. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(SparseLimits const& limits) const {
    SparseLimits const part = of_part(limits.elements, limits.capacity);
    std::size_t const pairs = detail::PairRoom<Real>::words(part.capacity) * sizeof(std::uint64_t);
    if constexpr (requires { policy_.template workspace_bytes<Real>(part); })
      return pairs + policy_.template workspace_bytes<Real>(part);
    else
      return pairs;
  }

 private:
  void check_groups(std::size_t ranks) const {
    if (inside_.size() * between_.size() == ranks) return;
    throw ContractViolation("TwoLevel: " + std::to_string(between_.size()) + " nodes of " +
                            std::to_string(inside_.size()) + " ranks are not the " + std::to_string(ranks) +
                            " ranks of the communicator");
  }

  /// Of the sums between nodes: a node's ranks may all have selected other slots.
  SparseLimits of_part(std::size_t elements, std::size_t capacity) const {
    std::size_t const places = inside_.size();
    std::size_t const part = (elements + places - 1) / places;
    return {between_.size(), part, detail::smaller(places * capacity, part)};
  }

  template <class Real, HostOrderedExecutor E>
  class Bound {
   public:
    Bound(TwoLevel const& stages, E const& executor, std::size_t elements, std::size_t capacity)
        : exchange_(executor, stages.inside_, 0),
          between_(stages.between_),
          pairs_(executor, detail::PairRoom<Real>::words(stages.of_part(elements, capacity).capacity)),
          boundaries_(stages.inside_.size() + 1),
          policy_(stages.policy_.on(SparseContext<Real, E, Between>{
              executor, stages.between_, stages.of_part(elements, capacity).elements,
              stages.of_part(elements, capacity).capacity})) {
      if constexpr (ReservingCommunicator<Inside, E>)
        stages.inside_.reserve(executor, elements * sizeof(Real));
    }

    void operator()(E const& point, SparseSum<Real, HostSpace> const& sum) {
      cut(sum.out.size());
      auto list = detail::pairs_of(sum);
      detail::sum_lists(point, {&list, 1}, sum.out);
      auto const mine = part(sum.out, exchange_.rank());
      exchange_.communicator().reduce_scatter(point, TensorView<Real const, HostSpace>(sum.out), mine,
                                              ReduceOp::sum, boundaries_);
      sum_between(point, sum, mine);
      exchange_.for_each_peer([&](std::size_t peer) {
        exchange_.receive(part(sum.out, peer), peer);
        exchange_.send(mine, peer);
      });
      exchange_.run(point);
    }

    void abort() noexcept {
      exchange_.communicator().abort();
      between_.abort();
      if constexpr (requires { policy_.abort(); }) policy_.abort();
    }

   private:
    void cut(std::size_t elements) {
      for (std::size_t r = 0; r < boundaries_.size(); ++r)
        boundaries_[r] = even_split(elements, r, exchange_.size());
    }
    template <class T>
    TensorView<T, HostSpace> part(TensorView<T, HostSpace> of, std::size_t rank) const {
      return of.part(boundaries_[rank], boundaries_[rank + 1] - boundaries_[rank]);
    }

    void sum_between(E const& point, SparseSum<Real, HostSpace> const& sum,
                     TensorView<Real, HostSpace> mine) {
      std::size_t const count = detail::count_non_zero(mine);
      std::uint64_t const counts[2] = {count, count};
      // The same on all nodes, as policies may ask for, where all ranks have one capacity.
      std::size_t const room =
          detail::larger(count, detail::smaller(exchange_.size() * sum.indices.size(), mine.size()));
      detail::PairRoom<Real> const pairs(pairs_.take(detail::PairRoom<Real>::words(room)).data(), room);
      detail::collect_non_zero(mine, 0, pairs);
      SparseSum<Real, HostSpace> of_part{{pairs.indices(), room}, {pairs.values(), room}, counts};
      of_part.out = mine;
      of_part.step = sum.step;
      if (!sum.residual.empty()) {
        of_part.status = sum.status;
        Real* const residual = sum.residual.current() + boundaries_[exchange_.rank()];
        of_part.residual = {residual, residual, mine.size(), sum.residual.side_word()};
      }
      policy_(point, of_part);
    }

    detail::PairExchange<Inside, E> exchange_;
    Between between_;
    GrowingBuffer<std::uint64_t, E> pairs_;
    std::vector<std::size_t> boundaries_;
    decltype(std::declval<Policy const&>().on(
        std::declval<SparseContext<Real, E, Between> const&>())) policy_;
  };

  /// On a device, which finds the pairs of a part by a selection of everything.
  template <class Real, Executor E, class C>
  class DeviceBound {
    using Space = typename E::memory_space;
    using BoundPolicy =
        decltype(std::declval<Policy const&>().on(std::declval<SparseContext<Real, E, Between> const&>()));

   public:
    DeviceBound(TwoLevel const& stages, SparseContext<Real, E, C> const& context)
        : DeviceBound(stages, context, stages.of_part(context.elements, context.capacity)) {}

    void operator()(E const& point, SparseSum<Real, Space> const& sum) {
      for (std::size_t r = 0; r < boundaries_.size(); ++r)
        boundaries_[r] = even_split(sum.out.size(), r, inside_.size());
      auto const mine = part(sum.out, inside_.rank());
      set_zero(point, sum.out);
      scatter_add(point, sum.indices, sum.values, sum.count, sum.out);
      inside_.reduce_scatter(point, ViewOn<Real const, E>(sum.out), mine, ReduceOp::sum, boundaries_);
      if (waits()) wait_for_ranks(point, inside_, between_, all_);
      sum_between(point, sum, mine);
      group_.clear();
      for (std::size_t distance = 1; distance < inside_.size(); ++distance) {
        std::size_t const peer = (inside_.rank() + distance) % inside_.size();
        auto const theirs = part(sum.out, peer);
        if (!theirs.empty()) group_.receive(theirs, peer);
        if (!mine.empty()) group_.send(mine, peer);
      }
      inside_.exchange(point, group_.transfers());
    }

    void abort() noexcept {
      inside_.abort();
      between_.abort();
      if constexpr (requires { policy_.abort(); }) policy_.abort();
    }
    bool waits() const {
      if constexpr (requires { policy_.waits(); }) return policy_.waits();
      return false;
    }
    void check() requires(CheckableCommunicator<Inside>&& CheckableCommunicator<Between>) {
      inside_.check();
      between_.check();
      if constexpr (requires { policy_.check(); }) policy_.check();
    }

   private:
    DeviceBound(TwoLevel const& stages, SparseContext<Real, E, C> const& context, SparseLimits const& of_part)
        : all_(context.communicator),
          inside_(stages.inside_),
          between_(stages.between_),
          boundaries_(inside_.size() + 1),
          state_(context.executor, 1),
          scratch_(context.executor, sparsify_scratch_bytes<Real>(context.executor, of_part.elements, 1.0)),
          pairs_(context.executor, PairBlocks<Real, Space>::words(of_part.capacity)),
          policy_(stages.policy_.on(SparseContext<Real, E, Between>{context.executor, between_,
                                                                    of_part.elements, of_part.capacity})) {
      group_.reserve(2 * inside_.size());
      set_zero(context.executor, pairs_.take(pairs_.capacity()));  // whole blocks are sent
      apply_scalars(context.executor, InitialiseThreshold{state_.data(), 1.0});
      if constexpr (ReservingCommunicator<Inside, E>)
        inside_.reserve(context.executor, context.elements * sizeof(Real));
    }

    template <class T>
    TensorView<T, Space> part(TensorView<T, Space> of, std::size_t rank) const {
      return of.part(boundaries_[rank], boundaries_[rank + 1] - boundaries_[rank]);
    }

    void sum_between(E const& point, SparseSum<Real, Space> const& sum, TensorView<Real, Space> mine) {
      std::size_t const room = detail::smaller(inside_.size() * sum.indices.size(), mine.size());
      PairBlocks<Real, Space> const pairs(pairs_.take(PairBlocks<Real, Space>::words(room)), room, 1);
      WeightedTerm<Real, Space> const term{mine, 1.0};
      SparsifyWork<Real, Real, Space> work{.terms = {&term, 1}};
      work.constants.non_finite = NonFinitePolicy::propagate;
      work.state = state_.data();
      work.out = {reinterpret_cast<SelectionCounts*>(pairs.header(0)), pairs.indices(0), pairs.values(0)};
      work.scratch = scratch_.view();
      sparsify(point, work, Everything{});
      SparseSum<Real, Space> of_part{pairs.indices(0), pairs.values(0),
                                     reinterpret_cast<std::uint64_t const*>(pairs.header(0))};
      of_part.block = pairs.all();
      of_part.out = mine;
      of_part.step = sum.step;
      if (!sum.residual.empty()) {
        of_part.status = sum.status;
        std::size_t const begin = boundaries_[inside_.rank()];
        auto const of_side = [&](unsigned number) {
          Real* const side = sum.residual.side(number);
          return side == nullptr ? nullptr : side + begin;
        };
        of_part.residual = {of_side(0), of_side(1), mine.size(), sum.residual.side_word()};
      }
      policy_(point, of_part);
    }

    C all_;
    Inside inside_;
    Between between_;
    std::vector<std::size_t> boundaries_;
    TransferGroup<Space> group_;
    Buffer<ThresholdState, E> state_;
    Buffer<std::byte, E> scratch_;
    GrowingBuffer<std::uint64_t, E> pairs_;
    BoundPolicy policy_;
  };

  Inside inside_;
  Between between_;
  Policy policy_;
};

}  // namespace weir::inline v1
