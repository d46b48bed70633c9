#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/comm/pair_exchange.hpp"
#include "weir/comm/pair_list.hpp"
#include "weir/comm/sparse_sum.hpp"

namespace weir::inline v1::detail {

/// The memory of a `RegionExchange`.
template <class Real>
struct RegionRoom {
  /// `region`: how many pairs all ranks have of one region at most.
  RegionRoom(SparseLimits const& limits, std::size_t region)
      : outgoing(PairRoom<Real>::words_of_pieces(limits.capacity, limits.ranks)),
        incoming(PairRoom<Real>::words_of_pieces(region, limits.ranks)) {}

  static constexpr std::size_t gathered(std::size_t ranks) { return ranks; }
  std::size_t bytes() const { return (outgoing + incoming) * sizeof(std::uint64_t); }

  std::size_t outgoing, incoming;  // words
};

/// Hands each rank the pairs of its region of the bucket, from all ranks.
template <class Real, HostOrderedExecutor E>
class RegionExchange {
 public:
  RegionExchange(E const& executor, std::size_t ranks, RegionRoom<Real> const& room)
      : boundaries_(ranks + 1),
        counts_(ranks),
        cuts_(ranks + 1),
        lists_(ranks),
        outgoing_(executor, room.outgoing),
        incoming_(executor, room.incoming) {}

  void set_boundary(std::size_t rank, std::size_t slot) { boundaries_[rank] = slot; }
  std::size_t begin(std::size_t rank) const { return boundaries_[rank]; }
  std::size_t end(std::size_t rank) const { return boundaries_[rank + 1]; }

  /// `mine` stays as it is while the results are used.
  template <class C>
  void exchange(PairExchange<C, E>& exchange, E const& point, PairList<Real> const& mine) {
    std::size_t const ranks = exchange.size();
    std::size_t const own = exchange.rank();
    mine_ = mine;
    cuts_.assign(ranks + 1, 0);
    for (std::size_t r = 0; r <= ranks; ++r)
      cuts_[r] = r == ranks ? mine.count : count_below(mine.indices, mine.count, boundaries_[r]);
    for (std::size_t r = 0; r < ranks; ++r) counts_[r] = cuts_[r + 1] - cuts_[r];
    auto const all = exchange.gather(point, counts_);
    std::size_t out_words = 0;
    std::size_t in_words = 0;
    for (std::size_t r = 0; r < ranks; ++r) {
      if (r == own) continue;
      out_words += PairRoom<Real>::words(counts_[r]);
      in_words += PairRoom<Real>::words(all[r * ranks + own]);
    }
    std::uint64_t* out = outgoing_.take(out_words).data();
    std::uint64_t* in = incoming_.take(in_words).data();
    lists_.assign(ranks, {});
    for (std::size_t r = 0; r < ranks; ++r) {
      if (r == own) {
        lists_[r] = sent_to(r);
        continue;
      }
      PairRoom<Real> const from(in, all[r * ranks + own]);
      PairRoom<Real> const to(out, counts_[r]);
      in += PairRoom<Real>::words(from.count());
      out += PairRoom<Real>::words(to.count());
      to.copy_from(sent_to(r));
      lists_[r] = from.list();
      exchange.receive(from.message(), r);
      exchange.send(to.message(), r);
    }
    exchange.run(point);
  }

  /// What each rank has selected of this rank's region, in rank order.
  std::span<PairList<Real> const> lists() const { return lists_; }

  /// What this rank has selected of another's region.
  PairList<Real> sent_to(std::size_t rank) const { return mine_.part(cuts_[rank], cuts_[rank + 1]); }

 private:
  std::vector<std::size_t> boundaries_;
  std::vector<std::uint64_t> counts_;
  std::vector<std::size_t> cuts_;
  std::vector<PairList<Real>> lists_;
  PairList<Real> mine_;
  GrowingBuffer<std::uint64_t, E> outgoing_;
  GrowingBuffer<std::uint64_t, E> incoming_;
};

}  // namespace weir::inline v1::detail
