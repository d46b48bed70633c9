#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/comm/even_split.hpp"
#include "weir/comm/pair_list.hpp"
#include "weir/compress/balanced_regions.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/joint_top_k.hpp"
#include "weir/compress/region_exchange.hpp"
#include "weir/compress/sparse_method.hpp"
#include "weir/compress/staged_sparse_sum.hpp"
#include "weir/core/smaller.hpp"

namespace weir::inline v1 {
namespace detail {

/// All ranks together keep no more than one capacity, and send no more than twice their share of it.
template <class Real>
struct BalancedRoom {
  explicit BalancedRoom(SparseLimits const& limits)
      : BalancedRoom(limits, BalancedRegions::most_pairs(limits.capacity, limits.ranks)) {}

  static constexpr std::size_t gathered(std::size_t ranks) { return ranks + 1; }
  std::size_t bytes() const {
    return regions.bytes() + JointTopKRoom::bytes + rejected * sizeof(std::uint32_t) +
           (totals + kept + moved + share + incoming + outgoing) * sizeof(std::uint64_t);
  }

  RegionRoom<Real> regions;
  std::size_t totals, kept, moved, share, incoming, outgoing;  // words
  std::size_t rejected;                                        // slots

 private:
  BalancedRoom(SparseLimits const& limits, std::size_t region) : regions(limits, region) {
    using Pairs = PairRoom<Real>;
    std::size_t const ranks = limits.ranks;
    std::size_t const capacity = limits.capacity;
    std::size_t const sums = smaller(region, limits.elements);
    std::size_t const equal_share = (capacity + ranks - 1) / ranks;
    std::size_t const largest_share = larger(equal_share, 2 * capacity / ranks);
    totals = Pairs::words(sums);
    rejected = sums;
    kept = Pairs::words(smaller(sums, capacity));
    moved = Pairs::words_of_pieces(equal_share, ranks);
    share = Pairs::words(equal_share);
    if (capacity == 0) {
      incoming = outgoing = 0;
      return;
    }
    std::size_t const marks_in = PairMarks::words(capacity) + ranks;
    std::size_t const marks_out = PairMarks::words(region) + ranks;
    incoming = Pairs::words_of_pieces(capacity, ranks) + marks_in;
    outgoing =
        larger(Pairs::words_of_pieces(capacity, ranks), ranks * Pairs::words(largest_share) + marks_out);
  }
};

template <class Real, HostOrderedExecutor E, class C>
class BalancedSum {
 public:
  using Sum = SparseSum<Real, HostSpace>;
  using Room = BalancedRoom<Real>;

  explicit BalancedSum(SparseContext<Real, E, C> const& context)
      : BalancedSum(context.executor, context.communicator.size(), Room(context.limits())) {}
  BalancedSum(E const& executor, std::size_t ranks, Room const& room)
      : cut_(ranks),
        regions_(executor, ranks, room.regions),
        joint_(executor),
        totals_(executor, room.totals),
        kept_(executor, room.kept),
        moved_(executor, room.moved),
        share_(executor, room.share),
        incoming_(executor, room.incoming),
        outgoing_(executor, room.outgoing),
        rejected_(executor, room.rejected),
        shares_(ranks),
        starts_(ranks + 1),
        rooms_(ranks),
        lists_(ranks),
        answers_(ranks) {}

  void operator()(PairExchange<C, E>& exchange, E const& point, Sum const& sum, PairCounts const& counts) {
    std::size_t const wanted = counts.largest();  // before the next gather
    std::size_t const rank = exchange.rank();
    auto const boundaries = cut_.cut(exchange.gather(point, cut_.describe(pairs_of(sum))), sum.out.size());
    for (std::size_t r = 0; r < boundaries.size(); ++r) regions_.set_boundary(r, boundaries[r]);
    regions_.exchange(exchange, point, pairs_of(sum));
    auto const region = sum.out.part(regions_.begin(rank), regions_.end(rank) - regions_.begin(rank));
    sum_lists(point, regions_.lists(), region, regions_.begin(rank));
    select(exchange, point, region, wanted);
    spread(exchange, point);
    deliver(exchange, point, sum);
  }

 private:
  /// Which of this region's sums are among the largest of all regions. A sum of 0 need not be sent.
  void select(PairExchange<C, E>& exchange, E const& point, TensorView<Real, HostSpace> region,
              std::size_t wanted) {
    std::size_t const count = count_non_zero(region);
    PairRoom<Real> const totals(totals_.take(PairRoom<Real>::words(count)).data(), count);
    collect_non_zero(region, regions_.begin(exchange.rank()), totals);
    std::size_t const most = smaller(count, wanted);
    PairRoom<Real> const kept(kept_.take(PairRoom<Real>::words(most)).data(), most);
    std::uint32_t* const rejected = rejected_.take(count).data();
    kept_count_ = 0;
    rejected_count_ = 0;
    joint_.search(exchange, point, totals.list(), wanted);
    for (std::size_t j = 0; j < count; ++j) {
      if (joint_.takes(totals.values()[j])) {
        kept.indices()[kept_count_] = totals.indices()[j];
        kept.values()[kept_count_++] = totals.values()[j];
      } else {
        rejected[rejected_count_++] = totals.indices()[j];
      }
    }
    kept_list_ = {kept.indices(), kept.values(), kept_count_};
  }

  /// Where one rank would have to send more than twice its share, all get equal shares first.
  void spread(PairExchange<C, E>& exchange, E const& point) {
    std::size_t const ranks = exchange.size();
    std::uint64_t const mine = kept_count_;
    PairCounts const counts(exchange.gather(point, {&mine, 1}));
    std::size_t const total = counts.total();
    shares_.assign(ranks, 0);
    for (std::size_t r = 0; r < ranks; ++r) shares_[r] = counts[r];
    if (counts.largest() * ranks <= 2 * total) {
      share_list_ = kept_list_;
      return;
    }
    starts_.assign(ranks + 1, 0);
    for (std::size_t r = 0; r < ranks; ++r) starts_[r + 1] = starts_[r] + counts[r];
    for (std::size_t r = 0; r < ranks; ++r)
      shares_[r] = even_split(total, r + 1, ranks) - even_split(total, r, ranks);
    move(exchange, point, total);
  }

  /// How many pairs go from one rank to another, whose share begins and ends there.
  std::size_t overlap(std::size_t from, std::size_t to, std::size_t total) const {
    std::size_t const begin = larger(starts_[from], even_split(total, to, shares_.size()));
    std::size_t const end = smaller(starts_[from + 1], even_split(total, to + 1, shares_.size()));
    return begin < end ? end - begin : 0;
  }

  void move(PairExchange<C, E>& exchange, E const& point, std::size_t total) {
    std::size_t const ranks = exchange.size();
    std::size_t const own = exchange.rank();
    std::size_t out_words = 0;
    std::size_t in_words = 0;
    for (std::size_t r = 0; r < ranks; ++r) {
      out_words += PairRoom<Real>::words(overlap(own, r, total));
      in_words += PairRoom<Real>::words(overlap(r, own, total));
    }
    std::uint64_t* out = outgoing_.take(out_words).data();
    std::uint64_t* in = moved_.take(in_words).data();
    std::size_t begin = 0;
    rooms_.assign(ranks, {});
    for (std::size_t r = 0; r < ranks; ++r) {
      PairRoom<Real> const to(out, overlap(own, r, total));
      rooms_[r] = PairRoom<Real>(in, overlap(r, own, total));
      out += PairRoom<Real>::words(to.count());
      in += PairRoom<Real>::words(rooms_[r].count());
      to.copy_from(kept_list_.part(begin, begin + to.count()));
      begin += to.count();
      if (r == own) {
        rooms_[r].copy_from(to.list());
        continue;
      }
      exchange.receive(rooms_[r].message(), r);
      exchange.send(to.message(), r);
    }
    exchange.run(point);
    PairRoom<Real> const share(share_.take(PairRoom<Real>::words(shares_[own])).data(), shares_[own]);
    std::size_t filled = 0;
    for (PairRoom<Real> const& room : rooms_) {
      for (std::size_t j = 0; j < room.count(); ++j, ++filled) {
        share.indices()[filled] = room.indices()[j];
        share.values()[filled] = room.values()[j];
      }
    }
    share_list_ = share.list();
  }

  /// Marks the pairs of a list whose sums were not rejected.
  void mark(PairList<Real> const& list, PairMarks marks) {
    auto const rejected = rejected_.take(rejected_count_);
    std::size_t r = 0;
    for (std::size_t j = 0; j < list.count; ++j) {
      while (r < rejected.size() && rejected[r] < list.indices[j]) ++r;
      marks.set(j, r == rejected.size() || rejected[r] != list.indices[j]);
    }
  }

  /// Everybody gets all shares, and with them what has become of the pairs that it had sent to the region.
  void deliver(PairExchange<C, E>& exchange, E const& point, Sum const& sum) {
    std::size_t const ranks = exchange.size();
    std::size_t const own = exchange.rank();
    std::size_t const share_words = PairRoom<Real>::words(shares_[own]);
    std::size_t out_words = 0;
    std::size_t in_words = 0;
    for (std::size_t r = 0; r < ranks; ++r) {
      out_words += share_words + PairMarks::words(regions_.lists()[r].count);
      in_words += PairRoom<Real>::words(shares_[r]) + PairMarks::words(regions_.sent_to(r).count);
    }
    std::uint64_t* out = outgoing_.take(out_words).data();
    std::uint64_t* in = incoming_.take(in_words).data();
    lists_.assign(ranks, {});
    answers_.assign(ranks, nullptr);
    for (std::size_t r = 0; r < ranks; ++r) {
      std::size_t const sent = share_words + PairMarks::words(regions_.lists()[r].count);
      PairRoom<Real>(out, shares_[own]).copy_from(share_list_);
      mark(regions_.lists()[r], PairMarks(out + share_words));
      std::size_t const words = PairRoom<Real>::words(shares_[r]);
      std::size_t const expected = words + PairMarks::words(regions_.sent_to(r).count);
      if (r == own) {
        lists_[r] = share_list_;
        answers_[r] = out + share_words;
      } else {
        exchange.receive(TensorView<std::uint64_t, HostSpace>(in, expected), r);
        exchange.send(TensorView<std::uint64_t, HostSpace>(out, sent), r);
        lists_[r] = PairRoom<Real>(in, shares_[r]).list();
        answers_[r] = in + words;
      }
      out += sent;
      in += expected;
    }
    exchange.run(point);
    for (std::size_t r = 0; r < ranks; ++r)
      give_back(regions_.sent_to(r), PairMarks(answers_[r]), residual_of(sum));
    sum_lists(point, lists_, sum.out);
  }

  BalancedRegions cut_;
  RegionExchange<Real, E> regions_;
  JointTopK<Real, E> joint_;
  GrowingBuffer<std::uint64_t, E> totals_;
  GrowingBuffer<std::uint64_t, E> kept_;
  GrowingBuffer<std::uint64_t, E> moved_;
  GrowingBuffer<std::uint64_t, E> share_;
  GrowingBuffer<std::uint64_t, E> incoming_;
  GrowingBuffer<std::uint64_t, E> outgoing_;
  GrowingBuffer<std::uint32_t, E> rejected_;  // slots of this region
  std::size_t rejected_count_ = 0;
  std::size_t kept_count_ = 0;
  PairList<Real> kept_list_;
  PairList<Real> share_list_;
  std::vector<std::size_t> shares_;
  std::vector<std::size_t> starts_;
  std::vector<PairRoom<Real>> rooms_;
  std::vector<PairList<Real>> lists_;
  std::vector<std::uint64_t*> answers_;
};

}  // namespace detail

/// Of the sum over ranks exactly the k largest slots, of equal ones those of the smallest indices; k is what
/// the rank that selected most has. Every rank adds up one region of the bucket, in rank order; the regions
/// are cut so that none has more than about twice its share of the pairs. What is rejected is added to the
/// residual of each rank that had selected it, bit for bit.
///
/// The bits are the same on all ranks, and those of a dense sum in rank order at the slots that are found.
/// Cost: no rank sends or receives more than about 3 k w bytes, however the slots are distributed, and one
/// bit for each pair; (2 P + 2 L) alpha, small all-gathers for the sizes, and an all-reduce of 8 KiB for each
/// 11 bits of a magnitude; a pass over the bucket; memory for about 16 capacities, however many ranks there
/// are. Streams: on a point of a host stream; nobody else waits. On a device the pairs are summed on the
/// host, and the caller waits. Errors: those of the communicator. Source: [li2022oktopk], which estimates the
/// threshold instead of finding it, cuts the regions at the mean of the ranks' own cuts, and does not tell
/// the ranks which of their pairs were rejected.
struct BalancedTopK {
  static constexpr SparseMethod method = SparseMethod::balanced;
  static constexpr char const* name = "balanced";

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  requires ReducingCommunicator<C, E, std::uint32_t>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundSparseSum<detail::BalancedSum<Real, E, C>, Real, E, C>(context);
  }

  template <class Real, Executor E, detail::StagingSparseTransport<E, Real> C>
  requires ReducingCommunicator<C, E, std::uint32_t>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::StagedSparseSum<BalancedTopK, Real, E, C>(context, *this);
  }

  /// Units: bytes.
  template <class Real>
  static std::size_t workspace_bytes(SparseLimits const& limits) {
    return detail::sparse_sum_bytes(limits, detail::BalancedRoom<Real>(limits));
  }
};

}  // namespace weir::inline v1
