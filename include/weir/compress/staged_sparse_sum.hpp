#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "weir/comm/sparse_sum.hpp"
#include "weir/comm/wait_for_ranks.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/host_side.hpp"
#include "weir/compress/sparse_method.hpp"
#include "weir/exec/immediate_executor.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/tensor/growing_buffer.hpp"

namespace weir::inline v1::detail {

/// What a sum of a device's pairs by a method of the host asks of a communicator.
template <class C, class E, class Real>
concept StagingSparseTransport =
    StagingBackend<E> && !HostOrderedExecutor<E> && PointToPointCommunicator<C, E> &&
    GatheringCommunicator<C, E, std::uint64_t> && ReducingCommunicator<C, E, Real>;

/// A communicator of device memory over one of host memory, which `communicator()` gives.
template <class C, class Host, class Real>
concept OverHostCommunicator = requires(C const& c) {
  requires SparseTransport<std::remove_cvref_t<decltype(c.communicator())>, Host, Real>;
};

/// The way of messages between hosts whose pairs come from a device: over the device's communicator, or over
/// the one of host memory below it.
template <StagingBackend E, class C, class Host, class Real>
class HostWay {
 public:
  using communicator_type = HostSide<E, C>;

  HostWay(E const& executor, C const& communicator, std::size_t bytes)
      : bounce_(executor, communicator, bytes) {
    if constexpr (ReservingCommunicator<C, E>) bounce_.communicator().reserve(executor, bytes);
  }
  communicator_type communicator() { return communicator_type(bounce_); }
  void set_point(E const& point) { bounce_.set_point(point); }

 private:
  Bounce<E, C> bounce_;
};

template <StagingBackend E, class C, class Host, class Real>
requires OverHostCommunicator<C, Host, Real>
class HostWay<E, C, Host, Real> {
 public:
  using communicator_type = std::remove_cvref_t<decltype(std::declval<C const&>().communicator())>;

  HostWay(E const&, C const& communicator, std::size_t) : communicator_(communicator.communicator()) {}
  communicator_type communicator() { return communicator_; }
  void set_point(E const&) {}

 private:
  communicator_type communicator_;
};

/// A sum of a device's pairs by a policy of the host, where the size of each message follows from what came
/// before, and a communicator takes sizes from the host: the pairs are fetched, and the sum goes back.
///
/// Cost: besides the method's, the pairs and the sum over the bus, with each message where there is no
/// communicator of host memory below, and a pass of one thread over the sum. Host memory for the sum, twice
/// where the policy rejects, and for the messages, these on the device, too. Streams: the caller waits for
/// the device and the other ranks. Errors: `NotCapturable` during a capture.
template <class Policy, class Real, StagingBackend E, class C>
class StagedSparseSum {
  using Space = typename E::memory_space;
  using Source = decltype(std::declval<E const&>().host_memory());
  using Host = ImmediateExecutor<Source>;
  using Way = HostWay<E, C, Host, Real>;
  using HostContext = SparseContext<Real, Host, typename Way::communicator_type>;
  static constexpr bool rejects = !exact_sparse_methods.contains(Policy::method);

 public:
  /// Somebody who enqueued operations of other communicators before has to wait for them first.
  static constexpr bool waits() { return true; }

  StagedSparseSum(SparseContext<Real, E, C> const& context, Policy const& policy)
      : communicator_(context.communicator),
        host_(context.executor.host_memory()),
        way_(context.executor, context.communicator, most_under_way(context.limits())),
        counts_(host_, 2),
        indices_(host_, context.capacity),
        values_(host_, context.capacity),
        out_(host_, context.elements),
        rejected_(host_, rejects ? context.elements : 0),
        rejected_there_(context.executor, rejects ? context.capacity : 0),
        bound_(policy.on(HostContext{host_, way_.communicator(), context.elements, context.capacity})) {}

  void operator()(E const& point, SparseSum<Real, Space> const& sum) {
    way_.set_point(point);
    copy_to_host(point, sum.count, counts_.data(), 2 * sizeof(std::uint64_t));
    wait_for_ranks(point, communicator_);
    std::size_t const count = counts_.data()[0];
    auto const indices = indices_.take(sum.indices.size());
    auto const values = values_.take(sum.indices.size());
    copy_to_host(point, sum.indices.data(), indices.data(), count * sizeof(std::uint32_t));
    copy_to_host(point, sum.values.data(), values.data(), count * sizeof(Real));
    point.synchronize();
    SparseSum<Real, HostSpace> here{indices, values, counts_.data()};
    here.precision = sum.precision;
    here.shares_indices = sum.shares_indices;
    here.out = out_.take(sum.out.size());
    here.step = sum.step;
    bool const keeps = rejects && !sum.residual.empty();
    if (keeps) here.residual = no_rejects(sum.out.size());
    bound_(host_, here);
    copy_from_host(point, here.out.data(), sum.out.data(), sum.out.size() * sizeof(Real));
    if (keeps) give_back(point, sum, here);
    point.synchronize();  // the host's memory is needed again
  }

 private:
  /// Messages lie in what the method takes, or in the sum. Units: bytes.
  static std::size_t most_under_way(SparseLimits const& limits) {
    std::size_t const sum = rejects ? 0 : limits.elements * sizeof(Real);
    return Policy::template workspace_bytes<Real>(limits) + sum + 64 * limits.ranks;
  }

  static constexpr Real nothing = -Real{};  // added to a zero of either sign, leaves it as it is

  /// Where a policy adds what it rejects; nothing but while it does.
  TwoSidedView<Real, HostSpace> no_rejects(std::size_t size) {
    if (size > rejected_.capacity()) is_clear_ = false;
    auto const rejected = rejected_.take(size);
    if (!is_clear_) {
      for (Real& value : rejected_.take(rejected_.capacity())) value = nothing;
    }
    is_clear_ = false;
    return {rejected.data(), rejected.data(), size, &side_};
  }

  /// Only what this rank has selected can have been rejected.
  void give_back(E const& point, SparseSum<Real, Space> const& sum, SparseSum<Real, HostSpace> const& here) {
    std::size_t const count = *here.count;
    auto const values = values_.take(here.values.size());
    Real* const rejected = here.residual.current();
    for (std::size_t j = 0; j < count; ++j) values[j] = std::exchange(rejected[here.indices[j]], nothing);
    is_clear_ = true;
    auto const there = rejected_there_.take(here.values.size()).part(0, count);
    copy_from_host(point, values.data(), there.data(), count * sizeof(Real));
    scatter_add(point, sum.indices.part(0, count), ViewOn<Real const, E>(there), sum.count, sum.residual);
  }

  C communicator_;
  Host host_;
  Way way_;
  Buffer<std::uint64_t, Host> counts_;
  GrowingBuffer<std::uint32_t, Host> indices_;
  GrowingBuffer<Real, Host> values_;
  GrowingBuffer<Real, Host> out_;
  GrowingBuffer<Real, Host> rejected_;
  GrowingBuffer<Real, E> rejected_there_;
  std::uint32_t side_ = 0;
  bool is_clear_ = false;
  decltype(std::declval<Policy const&>().on(std::declval<HostContext const&>())) bound_;
};

}  // namespace weir::inline v1::detail
