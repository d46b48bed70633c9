#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "weir/comm/pair_list.hpp"
#include "weir/compress/bound_sparse_sum.hpp"
#include "weir/compress/sparse_method.hpp"
#include "weir/compress/staged_sparse_sum.hpp"
#include "weir/core/smaller.hpp"

namespace weir::inline v1 {
namespace detail {

/// What is sent as pairs is less than the bucket, and what is merged is one's own and one such message.
template <class Real>
struct DoublingRoom {
  explicit DoublingRoom(SparseLimits const& limits) {
    std::size_t const all = limits.ranks * limits.capacity;
    std::size_t const sent = pairs_below_dense<Real>(limits.elements);
    std::size_t const both = smaller(all, larger(limits.capacity, sent) + sent);
    mine = PairRoom<Real>::words(smaller(both, limits.elements));
    theirs = PairRoom<Real>::words(smaller(all, sent));
    merged = PairRoom<Real>::words(both);
    dense = all > sent ? limits.elements : 0;
  }

  static constexpr std::size_t gathered(std::size_t) { return 1; }
  std::size_t bytes() const {
    return (mine + theirs + merged) * sizeof(std::uint64_t) + dense * sizeof(Real);
  }

  std::size_t mine, theirs, merged;  // words
  std::size_t dense;                 // elements
};

template <class Real, HostOrderedExecutor E, class C>
class DoublingSum {
 public:
  using Sum = SparseSum<Real, HostSpace>;
  using Room = DoublingRoom<Real>;

  explicit DoublingSum(SparseContext<Real, E, C> const& context)
      : DoublingSum(context.executor, Room(context.limits())) {}
  DoublingSum(E const& executor, Room const& room)
      : mine_(executor, room.mine),
        theirs_(executor, room.theirs),
        merged_(executor, room.merged),
        dense_(executor, room.dense) {}

  void operator()(PairExchange<C, E>& exchange, E const& point, Sum const& sum, PairCounts const&) {
    out_ = sum.out;
    is_dense_ = false;
    count_ = *sum.count;
    room(mine_, count_).copy_from(pairs_of(sum));
    std::size_t const rank = exchange.rank();
    std::size_t doubled = 1;  // ranks that take part; the others have one of these act for them
    while (2 * doubled <= exchange.size()) doubled *= 2;
    if (rank >= doubled) {
      send(exchange, point, rank - doubled);
      receive(exchange, point, rank - doubled);
      replace();
    } else {
      bool const acts_for_another = rank + doubled < exchange.size();
      if (acts_for_another) {
        receive(exchange, point, rank + doubled);
        merge(true);
      }
      for (std::size_t step = 1; step < doubled; step *= 2) {
        swap_with(exchange, point, rank ^ step);
        merge((rank & step) == 0);
      }
      if (acts_for_another) send(exchange, point, rank + doubled);
    }
    if (!is_dense_) make_dense(point);
  }

 private:
  static constexpr std::uint64_t dense_mark = ~std::uint64_t{0};

  static PairRoom<Real> room(GrowingBuffer<std::uint64_t, E>& memory, std::size_t count) {
    return {memory.take(PairRoom<Real>::words(count)).data(), count};
  }
  PairList<Real> own() { return PairRoom<Real>(mine_.take(0).data(), count_).list(); }

  void make_dense(E const& point) {
    PairList<Real> const list = own();
    sum_lists(point, {&list, 1}, out_);
    is_dense_ = true;
  }

  /// As pairs, unless that is more than all of the bucket.
  std::uint64_t header(E const& point) {
    bool const is_smaller = count_ * (sizeof(std::uint32_t) + sizeof(Real)) < out_.size() * sizeof(Real);
    if (!is_dense_ && !is_smaller) make_dense(point);
    return is_dense_ ? dense_mark : count_;
  }

  void post_send(PairExchange<C, E>& exchange, std::size_t peer) {
    if (is_dense_) return exchange.send(out_, peer);
    exchange.send(PairRoom<Real>(mine_.take(0).data(), count_).message(), peer);
  }
  void post_receive(PairExchange<C, E>& exchange, std::size_t peer) {
    if (their_count_ == dense_mark) return exchange.receive(dense_.take(out_.size()), peer);
    exchange.receive(room(theirs_, their_count_).message(), peer);
  }

  void send(PairExchange<C, E>& exchange, E const& point, std::size_t peer) {
    std::uint64_t const mine = header(point);
    exchange.send(TensorView<std::uint64_t const, HostSpace>(&mine, 1), peer);
    exchange.run(point);
    post_send(exchange, peer);
    exchange.run(point);
  }
  void receive(PairExchange<C, E>& exchange, E const& point, std::size_t peer) {
    exchange.receive(TensorView<std::uint64_t, HostSpace>(&their_count_, 1), peer);
    exchange.run(point);
    post_receive(exchange, peer);
    exchange.run(point);
  }
  void swap_with(PairExchange<C, E>& exchange, E const& point, std::size_t peer) {
    std::uint64_t const mine = header(point);
    exchange.receive(TensorView<std::uint64_t, HostSpace>(&their_count_, 1), peer);
    exchange.send(TensorView<std::uint64_t const, HostSpace>(&mine, 1), peer);
    exchange.run(point);
    post_receive(exchange, peer);
    post_send(exchange, peer);
    exchange.run(point);
  }

  /// What was received takes the place of what was here.
  void replace() {
    is_dense_ = their_count_ == dense_mark;
    if (is_dense_) {
      copy_bytes(dense_.take(out_.size()), out_);
    } else {
      count_ = their_count_;
      room(mine_, count_).copy_from(room(theirs_, count_).list());
    }
  }

  void merge(bool mine_is_left) {
    if (their_count_ == dense_mark && is_dense_) {
      Real const* const other = dense_.take(out_.size()).data();
      for (std::size_t i = 0; i < out_.size(); ++i) out_[i] += other[i];
    } else if (their_count_ == dense_mark) {
      copy_bytes(dense_.take(out_.size()), out_);
      add_list(own(), out_.data());
      is_dense_ = true;
    } else if (is_dense_) {
      add_list(room(theirs_, their_count_).list(), out_.data());
    } else {
      merge_pairs(mine_is_left);
    }
  }

  void merge_pairs(bool mine_is_left) {
    PairList<Real> const mine = own();
    PairList<Real> const other = room(theirs_, their_count_).list();
    PairRoom<Real> const both = room(merged_, mine.count + other.count);
    count_ = mine_is_left ? merge_lists(mine, other, both.indices(), both.values())
                          : merge_lists(other, mine, both.indices(), both.values());
    room(mine_, count_).copy_from({both.indices(), both.values(), count_});
  }

  static void copy_bytes(TensorView<Real, HostSpace> from, TensorView<Real, HostSpace> to) {
    if (!to.empty()) std::memcpy(to.data(), from.data(), to.size() * sizeof(Real));
  }

  GrowingBuffer<std::uint64_t, E> mine_;  // this and the following three: of the call that is under way
  GrowingBuffer<std::uint64_t, E> theirs_;
  GrowingBuffer<std::uint64_t, E> merged_;
  GrowingBuffer<Real, E> dense_;
  TensorView<Real, HostSpace> out_;
  bool is_dense_ = false;
  std::size_t count_ = 0;
  std::uint64_t their_count_ = 0;
};

}  // namespace detail

/// Pairs of ranks swap what they have, at distances 1, 2, 4, .., and turn to all of the bucket as soon as
/// that is less to send. Where the number of ranks is no power of two, those beyond it have another act for
/// them.
///
/// The bits are the same on all ranks, and those of a sum in another order than the ranks'. Cost: L alpha and
/// as many for the sizes, beta times the unions, of at most the bucket; memory for three unions, and for the
/// bucket where they may be more. Streams: on a point of a host stream, which learns the sizes there; nobody
/// else waits. On a device the pairs are summed on the host, and the caller waits. Errors: those of the
/// communicator. Source: [renggli2019], which takes the sizes from the messages.
struct RecursiveDoubling {
  static constexpr SparseMethod method = SparseMethod::recursive_doubling;
  static constexpr char const* name = "recursive doubling";

  template <class Real, HostOrderedExecutor E, detail::SparseTransport<E, Real> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::BoundSparseSum<detail::DoublingSum<Real, E, C>, Real, E, C>(context);
  }

  template <class Real, Executor E, detail::StagingSparseTransport<E, Real> C>
  auto on(SparseContext<Real, E, C> const& context) const {
    return detail::StagedSparseSum<RecursiveDoubling, Real, E, C>(context, *this);
  }

  /// Units: bytes.
  template <class Real>
  static std::size_t workspace_bytes(SparseLimits const& limits) {
    return detail::sparse_sum_bytes(limits, detail::DoublingRoom<Real>(limits));
  }
};

}  // namespace weir::inline v1
