#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "weir/comm/fixed_gather.hpp"
#include "weir/comm/pair_list.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/coarse_size.hpp"
#include "weir/compress/device_counts.hpp"
#include "weir/compress/sparse_method.hpp"
#include "weir/core/smaller.hpp"

namespace weir::inline v1 {
namespace detail {

/// As much as on a device, where the counts travel with the pairs.
template <class Real>
struct AllGatherRoom {
  explicit AllGatherRoom(SparseLimits const& limits)
      : pairs(FixedGather::workspace_bytes<Real>(limits) / sizeof(std::uint64_t)) {}

  static constexpr std::size_t gathered(std::size_t) { return 1; }
  std::size_t bytes() const { return pairs * sizeof(std::uint64_t); }

  std::size_t pairs;  // words
};

template <class Real, HostOrderedExecutor E, class C>
class AllGatherSum {
 public:
  using Sum = SparseSum<Real, HostSpace>;
  using Room = AllGatherRoom<Real>;

  explicit AllGatherSum(SparseContext<Real, E, C> const& context)
      : memory_(context.executor, Room(context.limits()).pairs) {
    rooms_.reserve(context.communicator.size());
    lists_.reserve(context.communicator.size());
  }

  void operator()(PairExchange<C, E>& exchange, E const& point, Sum const& sum, PairCounts const& counts) {
    std::size_t words = 0;
    for (std::size_t rank = 0; rank < counts.size(); ++rank) words += PairRoom<Real>::words(counts[rank]);
    std::uint64_t* place = memory_.take(words).data();
    rooms_.clear();
    for (std::size_t rank = 0; rank < counts.size(); ++rank) {
      rooms_.emplace_back(place, counts[rank]);
      place += PairRoom<Real>::words(counts[rank]);
    }
    PairRoom<Real> const own = rooms_[exchange.rank()];
    own.copy_from(pairs_of(sum));
    exchange.for_each_peer([&](std::size_t peer) {
      exchange.receive(rooms_[peer].message(), peer);
      exchange.send(own.message(), peer);
    });
    exchange.run(point);
    lists_.clear();
    for (PairRoom<Real> const& room : rooms_) lists_.push_back(room.list());
    sum_lists(point, lists_, sum.out);
  }

 private:
  GrowingBuffer<std::uint64_t, E> memory_;
  std::vector<PairRoom<Real>> rooms_;
  std::vector<PairList<Real>> lists_;
};

/// A `FixedGather` of as many pairs as any rank has, or a few more.
template <class Real, StagingBackend E, class C>
class BoundDeviceAllGather {
  using Sum = SparseSum<Real, typename E::memory_space>;

 public:
  static constexpr bool waits() { return true; }

  explicit BoundDeviceAllGather(SparseContext<Real, E, C> const& context)
      : counts_(context.executor, context.communicator), gather_(FixedGather{}.on(context)) {}

  void operator()(E const& point, Sum const& sum) { gather(point, sum, counts_.largest(point, sum.count)); }

  /// Of at most `largest` pairs of each rank.
  void gather(E const& point, Sum sum, std::size_t largest) {
    std::size_t const room = smaller(coarse_size(largest), sum.indices.size());
    if (room < sum.indices.size()) sum.block = {};
    sum.indices = sum.indices.part(0, room);
    sum.values = sum.values.part(0, room);
    gather_(point, sum);
  }

 private:
  DeviceCounts<E, C> counts_;
  decltype(FixedGather{}.on(std::declval<SparseContext<Real, E, C> const&>())) gather_;
};

}  // namespace detail

/// Every rank sends its pairs to all, and adds up what it has in rank order: the bits of a dense sum in rank
/// order, on all ranks.
///
/// Cost: the ranks' counts, then L alpha + (P - 1) k w beta where messages travel at the same time; a pass
/// over the bucket; memory for P capacities. Streams: on a point of a host stream, which learns the counts
/// there; nobody else waits. On a device the caller waits for the counts: `FixedGather` does not, and can be
/// captured. Errors: those of the communicator. Source: [renggli2019].
struct AllGatherPairs {
  static constexpr SparseMethod method = SparseMethod::all_gather;
  static constexpr char const* name = "all-gather";

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundSparseSum<detail::AllGatherSum<Real, E, C>, Real, E, C>(context);
  }

  template <class Real, StagingBackend E, GatheringCommunicator<E, std::uint64_t> C>
  requires(!HostOrderedExecutor<E>) auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundDeviceAllGather<Real, E, C>(context);
  }

  /// Units: bytes.
  template <class Real>
  static std::size_t workspace_bytes(SparseLimits const& limits) {
    return detail::sparse_sum_bytes(limits, detail::AllGatherRoom<Real>(limits));
  }
};

}  // namespace weir::inline v1
