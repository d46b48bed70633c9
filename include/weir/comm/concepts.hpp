#pragma once

#include <concepts>
#include <cstddef>
#include <span>

#include "weir/comm/group.hpp"
#include "weir/comm/reduce_op.hpp"
#include "weir/comm/wire_type.hpp"
#include "weir/exec/vocabulary.hpp"

// A communicator is a handle of one rank of a group; copies are handles of the same rank. Its capabilities
// are separate concepts, so that a transport without reduce_scatter is still a transport. All operations are
// enqueued on the executor's stream and are called in one order, the same on all ranks.

namespace weir::inline v1 {

/// Knows its place, and can make the other ranks fail instead of wait.
template <class C>
concept RankedCommunicator = std::copyable<C> && requires(C const c) {
  { c.rank() } -> std::same_as<std::size_t>;
  { c.size() } -> std::same_as<std::size_t>;
  requires noexcept(c.abort());
};

/// `check()` throws when what was enqueued can never end, as on a device where nothing else would tell.
/// Cheap: whoever waits for a step calls it again and again.
template <class C>
concept CheckableCommunicator = RankedCommunicator<C> && requires(C const c) {
  c.check();
};

/// Says what kind of transport it is, for whoever plans around it.
template <class C>
concept DescribedCommunicator = RankedCommunicator<C> && requires {
  { C::stream_ordered } -> std::convertible_to<bool>;    // takes effect in stream order, the caller goes on
  { C::device_pointers } -> std::convertible_to<bool>;   // device memory is passed as it is
  { C::capturable } -> std::convertible_to<bool>;        // in a CUDA graph
  { C::bounded_wait } -> std::convertible_to<bool>;      // an absent rank is an error within the deadline
  { C::max_count } -> std::convertible_to<std::size_t>;  // elements in one operation
};

/// `reserve(e, bytes)` takes the scratch memory for operations on up to `bytes` bytes, while binding.
template <class C, class E>
concept ReservingCommunicator = RankedCommunicator<C> && Executor<E> && requires(C const c, E const& e) {
  c.reserve(e, std::size_t{});
};

/// Combines a vector over all ranks in place, in rank order, with the same bits on all ranks.
template <class C, class E, class T = float>
concept ReducingCommunicator = RankedCommunicator<C> && Executor<E> &&
    requires(C const c, E const& e, ViewOn<T, E> data) {
  c.all_reduce(e, data);
  c.all_reduce(e, data, ReduceOp::max);
};

/// Gathers a block of the same size from every rank: `all` is `size()` blocks in rank order. `block` may be
/// the own place in `all`.
template <class C, class E, class T = float>
concept GatheringCommunicator = RankedCommunicator<C> && Executor<E> &&
    requires(C const c, E const& e, ViewOn<T const, E> block, ViewOn<T, E> all) {
  c.all_gather(e, block, all);
};

/// Combines a vector over all ranks and leaves each with one part: elements n*r/R to n*(r+1)/R, or
/// `boundaries[r]` to `boundaries[r + 1]`, which live until the work has run. `part` may be the own place in
/// `all`.
template <class C, class E, class T = float>
concept ScatteringCommunicator = RankedCommunicator<C> && Executor<E> &&
    requires(C const c, E const& e, ViewOn<T const, E> all, ViewOn<T, E> part,
             std::span<std::size_t const> boundaries) {
  c.reduce_scatter(e, all, part);
  c.reduce_scatter(e, all, part, ReduceOp::sum, boundaries);
};

/// Copies the root's vector to all.
template <class C, class E, class T = float>
concept BroadcastingCommunicator = RankedCommunicator<C> && Executor<E> &&
    requires(C const c, E const& e, ViewOn<T, E> data) {
  c.broadcast(e, data, std::size_t{});
};

/// Posts sends and receives together.
template <class C, class E>
concept PointToPointCommunicator = RankedCommunicator<C> && Executor<E> &&
    requires(C const c, E const& e, std::span<Transfer<typename E::memory_space> const> transfers) {
  c.exchange(e, transfers);
};

/// Divides its ranks: those of one color form a new communicator, ordered by key, then by rank. All ranks
/// call it while binding; it blocks.
template <class C>
concept SplittingCommunicator = RankedCommunicator<C> && requires(C const c) {
  { c.split(std::size_t{}, std::size_t{}) } -> std::same_as<C>;
};

}  // namespace weir::inline v1
