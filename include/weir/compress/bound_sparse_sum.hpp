#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/comm/pair_exchange.hpp"
#include "weir/comm/pair_list.hpp"
#include "weir/comm/sparse_sum.hpp"
#include "weir/core/smaller.hpp"

namespace weir::inline v1::detail {

/// What the sparse sums on a host ask of a communicator.
template <class C, class E, class Real>
concept SparseTransport = HostOrderedExecutor<E> && PointToPointCommunicator<C, E> &&
    GatheringCommunicator<C, E, std::uint64_t> && ReducingCommunicator<C, E, Real>;

/// How many pairs each rank has selected.
class PairCounts {
 public:
  explicit PairCounts(std::span<std::uint64_t const> of_rank) : of_rank_(of_rank) {}

  std::size_t operator[](std::size_t rank) const { return of_rank_[rank]; }
  std::size_t size() const { return of_rank_.size(); }
  std::size_t largest() const {
    std::uint64_t largest = 0;
    for (std::uint64_t const count : of_rank_) largest = largest < count ? count : largest;
    return largest;
  }
  std::size_t total() const {
    std::uint64_t total = 0;
    for (std::uint64_t const count : of_rank_) total += count;
    return total;
  }

 private:
  std::span<std::uint64_t const> of_rank_;
};

/// How many pairs of a bucket are fewer bytes than all of it.
template <class Real>
constexpr std::size_t pairs_below_dense(std::size_t elements) {
  return elements == 0 ? 0 : (elements * sizeof(Real) - 1) / (sizeof(std::uint32_t) + sizeof(Real));
}

/// What a bound sum takes of which the methods need these rooms. A room is how much memory a method needs
/// within limits: `bytes()`, and `gathered(ranks)`, the words that a rank hands to a gather at most.
template <class... Rooms>
std::size_t sparse_sum_bytes(SparseLimits const& limits, Rooms const&... rooms) {
  std::size_t gathered = 1;
  ((gathered = larger(gathered, Rooms::gathered(limits.ranks))), ...);
  std::size_t bytes = limits.ranks * gathered * sizeof(std::uint64_t);
  ((bytes += rooms.bytes()), ...);
  return bytes;
}

/// A method with the messages that it is done with: the ranks tell each other their counts, then the method
/// is called with them.
template <class Method, class Real, HostOrderedExecutor E, class C>
class BoundSparseSum {
 public:
  using Sum = SparseSum<Real, HostSpace>;

  explicit BoundSparseSum(SparseContext<Real, E, C> const& context)
      : exchange_(context.executor, context.communicator, Method::Room::gathered(context.limits().ranks)),
        method_(context) {
    if constexpr (ReservingCommunicator<C, E>)
      exchange_.communicator().reserve(context.executor, context.elements * sizeof(Real));
  }

  void operator()(E const& point, Sum const& sum) {
    std::uint64_t const own = *sum.count;
    method_(exchange_, point, sum, PairCounts(exchange_.gather(point, {&own, 1})));
  }

 private:
  PairExchange<C, E> exchange_;
  Method method_;
};

template <class Real>
PairList<Real> pairs_of(SparseSum<Real, HostSpace> const& sum) {
  return {sum.indices.data(), sum.values.data(), static_cast<std::size_t>(*sum.count)};
}

/// The valid residual, or null.
template <class Real>
Real* residual_of(SparseSum<Real, HostSpace> const& sum) {
  return sum.residual.empty() ? nullptr : sum.residual.current();
}

}  // namespace weir::inline v1::detail
