#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "weir/comm/sparse_sum.hpp"
#include "weir/comm/wait_for_ranks.hpp"
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

/// A sum of a device's pairs by a policy of the host, where the size of each message follows from what came
/// before, and a communicator takes sizes from the host: the pairs are fetched, the messages go over the
/// device's communicator, and the sum goes back.
///
/// Cost: besides the method's, the pairs, each message and the sum over the bus, and a pass of one thread
/// over the sum; host memory for the sum, twice where the policy rejects, and device memory for messages,
/// which is taken as they come. Streams: the caller waits for the device and the other ranks.
template <class Policy, class Real, StagingBackend E, class C>
class StagedSparseSum {
  using Space = typename E::memory_space;
  using Source = typename E::host_source;
  using Host = ImmediateExecutor<Source>;
  static constexpr bool rejects = !exact_sparse_methods.contains(Policy::method);

 public:
  StagedSparseSum(SparseContext<Real, E, C> const& context, Policy const& policy)
      : bounce_(context.executor, context.communicator),
        counts_(Source(), 2),
        indices_(Source(), context.capacity),
        values_(Source(), context.capacity),
        out_(Source(), context.elements),
        rejected_(Source(), rejects ? context.elements : 0),
        rejected_there_(context.executor, rejects ? context.capacity : 0),
        bound_(policy.on(SparseContext<Real, Host, HostSide<E, C>>{Host(), HostSide<E, C>(bounce_),
                                                                   context.elements, context.capacity})) {
    if constexpr (ReservingCommunicator<C, E>)
      bounce_.communicator().reserve(context.executor, context.elements * sizeof(Real));
  }

  void operator()(E const& point, SparseSum<Real, Space> const& sum) {
    bounce_.set_point(point);
    copy_to_host(point, sum.count, counts_.data(), 2 * sizeof(std::uint64_t));
    bounce_.wait();
    std::size_t const capacity = sum.indices.size();
    std::size_t const count = counts_.data()[0];
    auto const indices = indices_.take(capacity);
    auto const values = values_.take(capacity);
    copy_to_host(point, sum.indices.data(), indices.data(), count * sizeof(std::uint32_t));
    copy_to_host(point, sum.values.data(), values.data(), count * sizeof(Real));
    point.synchronize();
    SparseSum<Real, HostSpace> here{indices, values, counts_.data()};
    here.precision = sum.precision;
    here.shares_indices = sum.shares_indices;
    here.out = out_.take(sum.out.size());
    here.step = sum.step;
    bool const keeps = rejects && !sum.residual.empty();
    if (keeps) here.residual = zeros(sum.out.size());
    bound_(Host(), here);
    copy_from_host(point, here.out.data(), sum.out.data(), sum.out.size() * sizeof(Real));
    if (keeps) give_back(point, sum, here);
    point.synchronize();  // the host's memory is needed again
  }

 private:
  /// Where a policy adds what it rejects; zero but while it does.
  TwoSidedView<Real, HostSpace> zeros(std::size_t size) {
    if (size > rejected_.capacity()) is_zero_ = false;
    auto const rejected = rejected_.take(size);
    if (!is_zero_) {
      for (Real& value : rejected_.take(rejected_.capacity())) value = Real{};
    }
    is_zero_ = false;
    return {rejected.data(), rejected.data(), size, &side_};
  }

  /// Only what this rank has selected can have been rejected.
  void give_back(E const& point, SparseSum<Real, Space> const& sum, SparseSum<Real, HostSpace> const& here) {
    std::size_t const count = *here.count;
    auto const values = values_.take(here.values.size());
    Real* const rejected = here.residual.current();
    for (std::size_t j = 0; j < count; ++j) values[j] = std::exchange(rejected[here.indices[j]], Real{});
    is_zero_ = true;
    auto const there = rejected_there_.take(here.values.size()).part(0, count);
    copy_from_host(point, values.data(), there.data(), count * sizeof(Real));
    scatter_add(point, sum.indices.part(0, count), ViewOn<Real const, E>(there), sum.count, sum.residual);
  }

  Bounce<E, C> bounce_;
  Buffer<std::uint64_t, Source> counts_;
  GrowingBuffer<std::uint32_t, Source> indices_;
  GrowingBuffer<Real, Source> values_;
  GrowingBuffer<Real, Source> out_;
  GrowingBuffer<Real, Source> rejected_;
  GrowingBuffer<Real, E> rejected_there_;
  std::uint32_t side_ = 0;
  bool is_zero_ = false;
  decltype(std::declval<Policy const&>().on(
      std::declval<SparseContext<Real, Host, HostSide<E, C>> const&>())) bound_;
};

}  // namespace weir::inline v1::detail
