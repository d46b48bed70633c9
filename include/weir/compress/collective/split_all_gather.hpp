#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/comm/even_split.hpp"
#include "weir/comm/pair_list.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/region_exchange.hpp"
#include "weir/compress/sparse_method.hpp"
#include "weir/compress/staged_sparse_sum.hpp"
#include "weir/core/smaller.hpp"

namespace weir::inline v1 {
namespace detail {

/// The sums of all parts are pairs where they are less than the bucket.
template <class Real>
struct SplitRoom {
  explicit SplitRoom(SparseLimits const& limits)
      : SplitRoom(limits, (limits.elements + limits.ranks - 1) / limits.ranks) {}

  static constexpr std::size_t gathered(std::size_t ranks) { return ranks; }
  std::size_t bytes() const { return regions.bytes() + (own + others) * sizeof(std::uint64_t); }

  RegionRoom<Real> regions;
  std::size_t own, others;  // words

 private:
  SplitRoom(SparseLimits const& limits, std::size_t part)
      : regions(limits, limits.ranks * smaller(limits.capacity, part)) {
    std::size_t const sums =
        smaller(limits.ranks * limits.capacity, pairs_below_dense<Real>(limits.elements));
    own = PairRoom<Real>::words(smaller(sums, part));
    others = PairRoom<Real>::words_of_pieces(sums, limits.ranks);
  }
};

template <class Real, HostOrderedExecutor E, class C>
class SplitSum {
 public:
  using Sum = SparseSum<Real, HostSpace>;
  using Room = SplitRoom<Real>;

  explicit SplitSum(SparseContext<Real, E, C> const& context)
      : SplitSum(context.executor, context.communicator.size(), Room(context.limits())) {}
  SplitSum(E const& executor, std::size_t ranks, Room const& room)
      : regions_(executor, ranks, room.regions),
        own_(executor, room.own),
        others_(executor, room.others),
        rooms_(ranks) {}

  void operator()(PairExchange<C, E>& exchange, E const& point, Sum const& sum, PairCounts const&) {
    std::size_t const ranks = exchange.size();
    for (std::size_t r = 0; r <= ranks; ++r) regions_.set_boundary(r, even_split(sum.out.size(), r, ranks));
    regions_.exchange(exchange, point, pairs_of(sum));
    auto const part = [&](std::size_t r) {
      return sum.out.part(regions_.begin(r), regions_.end(r) - regions_.begin(r));
    };
    auto const mine = part(exchange.rank());
    sum_lists(point, regions_.lists(), mine, regions_.begin(exchange.rank()));
    std::uint64_t const count = count_non_zero(mine);
    PairCounts const counts(exchange.gather(point, {&count, 1}));
    if (counts.total() * (sizeof(std::uint32_t) + sizeof(Real)) < sum.out.size() * sizeof(Real)) {
      gather_pairs(exchange, point, sum.out, counts);
    } else {
      exchange.for_each_peer([&](std::size_t peer) {
        exchange.receive(part(peer), peer);
        exchange.send(mine, peer);
      });
      exchange.run(point);
    }
  }

 private:
  void gather_pairs(PairExchange<C, E>& exchange, E const& point, TensorView<Real, HostSpace> out,
                    PairCounts const& counts) {
    std::size_t const rank = exchange.rank();
    PairRoom<Real> const own(own_.take(PairRoom<Real>::words(counts[rank])).data(), counts[rank]);
    std::size_t const begin = regions_.begin(rank);
    collect_non_zero(out.part(begin, regions_.end(rank) - begin), begin, own);
    std::size_t words = 0;
    for (std::size_t r = 0; r < exchange.size(); ++r) words += PairRoom<Real>::words(counts[r]);
    std::uint64_t* place = others_.take(words).data();
    rooms_.assign(exchange.size(), {});
    for (std::size_t r = 0; r < exchange.size(); ++r) {
      rooms_[r] = PairRoom<Real>(place, counts[r]);
      place += PairRoom<Real>::words(counts[r]);
    }
    exchange.for_each_peer([&](std::size_t peer) {
      exchange.receive(rooms_[peer].message(), peer);
      exchange.send(own.message(), peer);
    });
    exchange.run(point);
    exchange.for_each_peer([&](std::size_t peer) {
      PairList<Real> list = rooms_[peer].list();
      sum_lists(point, {&list, 1}, out.part(regions_.begin(peer), regions_.end(peer) - regions_.begin(peer)),
                regions_.begin(peer));
    });
  }

  RegionExchange<Real, E> regions_;
  GrowingBuffer<std::uint64_t, E> own_;
  GrowingBuffer<std::uint64_t, E> others_;
  std::vector<PairRoom<Real>> rooms_;
};

}  // namespace detail

/// Every rank adds up one part of the bucket, in rank order, from what the others send it, and sends the sum
/// to all: as pairs, or whole where that is less.
///
/// The bits are those of a dense sum in rank order, on all ranks. Cost: (P - 1 + L) alpha + f (w k + min(w
/// U(P), s_v N)) beta, and two small all-gathers for the sizes; a pass over the bucket; memory for P + 1
/// capacities and the sum as pairs, of at most the bucket. Streams: on a point of a host stream, which learns
/// the sizes there; nobody else waits. On a device the pairs are summed on the host, and the caller waits.
/// Errors: those of the communicator. Source: [renggli2019].
struct SplitAllGather {
  static constexpr SparseMethod method = SparseMethod::split;
  static constexpr char const* name = "split";

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundSparseSum<detail::SplitSum<Real, E, C>, Real, E, C>(context);
  }

  template <class Real, Executor E, detail::StagingSparseTransport<E, Real> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::StagedSparseSum<SplitAllGather, Real, E, C>(context, *this);
  }

  /// Units: bytes.
  template <class Real>
  static std::size_t workspace_bytes(SparseLimits const& limits) {
    return detail::sparse_sum_bytes(limits, detail::SplitRoom<Real>(limits));
  }
};

}  // namespace weir::inline v1
