#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/comm/pair_list.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/cost_table.hpp"
#include "weir/compress/sparse_method.hpp"
#include "weir/compress/staged_sparse_sum.hpp"
#include "weir/core/smaller.hpp"

namespace weir::inline v1 {
namespace detail {

/// Each message is a capacity at most, and so is what is kept.
template <class Real>
struct GlobalTopKRoom {
  explicit GlobalTopKRoom(SparseLimits const& limits)
      : levels(rounds_of_doubling(limits.ranks) + 1),
        marked(PairRoom<Real>::words(limits.capacity) + PairMarks::words(limits.capacity)),
        merged(larger(PairRoom<Real>::words(2 * limits.capacity), marked)) {}

  static constexpr std::size_t gathered(std::size_t) { return 1; }
  std::size_t bytes() const { return (2 * levels * marked + marked + merged) * sizeof(std::uint64_t); }

  std::size_t levels;
  std::size_t marked, merged;  // words
};

/// Up a binomial tree the partial sums, of which each merge keeps the k largest; down again the result, with
/// marks that tell each rank which of the pairs that it sent are in it.
template <class Real, HostOrderedExecutor E, class C>
class GlobalTopKSum {
 public:
  using Sum = SparseSum<Real, HostSpace>;
  using Room = GlobalTopKRoom<Real>;

  explicit GlobalTopKSum(SparseContext<Real, E, C> const& context)
      : GlobalTopKSum(context.executor, Room(context.limits())) {}
  GlobalTopKSum(E const& executor, Room const& room)
      : message_(executor, room.marked), merged_(executor, room.merged) {
    levels_.reserve(room.levels);
    for (std::size_t level = 0; level < room.levels; ++level) levels_.emplace_back(executor, room.marked);
  }

  void operator()(PairExchange<C, E>& exchange, E const& point, Sum const& sum, PairCounts const& counts) {
    rank_ = exchange.rank();
    std::size_t const largest = counts.largest();
    store(levels_[0].kept, pairs_of(sum));
    std::size_t level = 0;
    for (; is_above(exchange, level); ++level) collect(exchange, point, level, largest);
    if (rank_ != 0) {
      send_up(exchange, point, level);
      receive_result(exchange, point, level);
    } else {
      take_result(level);
    }
    while (level-- > 0) hand_down(exchange, point, level);
    give_back(pairs_of(sum), marks(levels_[0].kept), residual_of(sum));
    PairList<Real> list = result_.list();
    sum_lists(point, {&list, 1}, sum.out);
  }

 private:
  /// Pairs with a mark each: whether they are in the result.
  struct Marked {
    Marked(E const& executor, std::size_t words) : memory(executor, words) {}

    PairRoom<Real> room(std::size_t pairs) {
      count = pairs;
      std::size_t const words = PairRoom<Real>::words(pairs);
      marks = memory.take(words + PairMarks::words(pairs)).data() + words;
      return {memory.take(0).data(), pairs};
    }
    PairRoom<Real> pairs() { return {memory.take(0).data(), count}; }

    GrowingBuffer<std::uint64_t, E> memory;
    std::size_t count = 0;
    std::uint64_t* marks = nullptr;
  };

  /// `kept` is what this rank had before it met the peer of the level, `received` what that had.
  struct Level {
    Level(E const& executor, std::size_t words) : kept(executor, words), received(executor, words) {}
    Marked kept;
    Marked received;
  };

  static PairMarks marks(Marked& of) { return PairMarks(of.marks); }
  static void store(Marked& to, PairList<Real> const& list) { to.room(list.count).copy_from(list); }

  /// Whether this rank receives at that level, or has no peer there.
  bool is_above(PairExchange<C, E> const& exchange, std::size_t level) const {
    return (std::size_t{1} << level) < exchange.size() && (rank_ >> level & 1) == 0;
  }
  std::size_t child(std::size_t level) const { return rank_ + (std::size_t{1} << level); }
  std::size_t parent(std::size_t level) const { return rank_ - (std::size_t{1} << level); }

  void collect(PairExchange<C, E>& exchange, E const& point, std::size_t level, std::size_t k) {
    Level& here = levels_[level];
    PairList<Real> const mine = here.kept.pairs().list();
    if (child(level) >= exchange.size()) {
      here.received.room(0);
      return store(levels_[level + 1].kept, mine);
    }
    std::uint64_t count = 0;
    exchange.receive(TensorView<std::uint64_t, HostSpace>(&count, 1), child(level));
    exchange.run(point);
    PairRoom<Real> const theirs = here.received.room(count);
    exchange.receive(theirs.message(), child(level));
    exchange.run(point);
    std::size_t const most = mine.count + theirs.count();
    PairRoom<Real> const both(merged_.take(PairRoom<Real>::words(most)).data(), most);
    std::size_t const together = merge_lists(mine, theirs.list(), both.indices(), both.values());
    std::size_t const kept = keep_largest(both.indices(), both.values(), together, k);
    store(levels_[level + 1].kept, {both.indices(), both.values(), kept});
  }

  void send_up(PairExchange<C, E>& exchange, E const& point, std::size_t level) {
    PairRoom<Real> const mine = levels_[level].kept.pairs();
    std::uint64_t const count = mine.count();
    exchange.send(TensorView<std::uint64_t const, HostSpace>(&count, 1), parent(level));
    exchange.run(point);
    exchange.send(mine.message(), parent(level));
    exchange.run(point);
  }

  void take_result(std::size_t level) {
    Marked& all = levels_[level].kept;
    for (std::size_t j = 0; j < all.count; ++j) marks(all).set(j, true);
    PairRoom<Real> const room(
        message_.take(PairRoom<Real>::words(all.count) + PairMarks::words(all.count)).data(), all.count);
    room.copy_from(all.pairs().list());
    result_ = room;
  }

  void receive_result(PairExchange<C, E>& exchange, E const& point, std::size_t level) {
    std::uint64_t count = 0;
    exchange.receive(TensorView<std::uint64_t, HostSpace>(&count, 1), parent(level));
    exchange.run(point);
    Marked& mine = levels_[level].kept;
    std::size_t const words = PairRoom<Real>::words(count);
    std::size_t const mark_words = PairMarks::words(mine.count);
    auto const message = message_.take(words + mark_words);
    exchange.receive(message, parent(level));
    exchange.run(point);
    result_ = PairRoom<Real>(message.data(), count);
    for (std::size_t i = 0; i < mark_words; ++i) mine.marks[i] = message[words + i];
  }

  /// A pair is in the result if its slot was kept when the two met, and the sum of the two was kept later.
  static void pass_marks(Marked& above, Marked& below) {
    PairList<Real> const upper = above.pairs().list();
    PairList<Real> const lower = below.pairs().list();
    std::size_t u = 0;
    for (std::size_t j = 0; j < lower.count; ++j) {
      while (u < upper.count && upper.indices[u] < lower.indices[j]) ++u;
      bool const is_kept = u < upper.count && upper.indices[u] == lower.indices[j];
      marks(below).set(j, is_kept && marks(above)[u]);
    }
  }

  void hand_down(PairExchange<C, E>& exchange, E const& point, std::size_t level) {
    Level& here = levels_[level];
    pass_marks(levels_[level + 1].kept, here.kept);
    if (child(level) >= exchange.size()) return;
    pass_marks(levels_[level + 1].kept, here.received);
    std::uint64_t const count = result_.count();
    exchange.send(TensorView<std::uint64_t const, HostSpace>(&count, 1), child(level));
    exchange.run(point);
    std::size_t const words = PairRoom<Real>::words(count);
    std::size_t const mark_words = PairMarks::words(here.received.count);
    auto const message = merged_.take(words + mark_words);
    PairRoom<Real>(message.data(), count).copy_from(result_.list());
    for (std::size_t i = 0; i < mark_words; ++i) message[words + i] = here.received.marks[i];
    exchange.send(message, child(level));
    exchange.run(point);
  }

  std::vector<Level> levels_;
  GrowingBuffer<std::uint64_t, E> message_;
  GrowingBuffer<std::uint64_t, E> merged_;
  std::size_t rank_ = 0;
  PairRoom<Real> result_;
};

}  // namespace detail

/// Of the sum over ranks about the k largest slots, found along a tree: where two partial sums meet, the k
/// largest of theirs go on; k is what the rank that selected most has. What is rejected on the way is added
/// to the residual of each rank that had selected it, bit for bit, also where another branch of the tree has
/// brought the slot to the top: what was summed and what stayed are always all that there was.
///
/// The bits are the same on all ranks; which slots are found depends on the order of the ranks. Cost: 2 L
/// alpha and as many for the sizes, 2 L k w beta and one bit for each pair; memory for 2 L + 5 capacities.
/// Streams: on a point of a host stream; nobody else waits. On a device the pairs are summed on the host, and
/// the caller waits. Errors: those of the communicator.
/// Source: [shi2019gtopk], whose ranks keep what they sent of a slot that is not in the result, and lose what
/// was rejected of one that is.
struct GlobalTopK {
  static constexpr SparseMethod method = SparseMethod::global_top_k;
  static constexpr char const* name = "global top-k";

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundSparseSum<detail::GlobalTopKSum<Real, E, C>, Real, E, C>(context);
  }

  template <class Real, Executor E, detail::StagingSparseTransport<E, Real> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::StagedSparseSum<GlobalTopK, Real, E, C>(context, *this);
  }

  /// Units: bytes.
  template <class Real>
  static std::size_t workspace_bytes(SparseLimits const& limits) {
    return detail::sparse_sum_bytes(limits, detail::GlobalTopKRoom<Real>(limits));
  }
};

}  // namespace weir::inline v1
