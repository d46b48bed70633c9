#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "weir/comm/check_arguments.hpp"
#include "weir/comm/concepts.hpp"
#include "weir/comm/options.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// One rank: a collective copies where it has to and does nothing else.
///
/// Cost: `all_reduce` and `broadcast` enqueue nothing. Errors: `ContractViolation` for what no communicator
/// takes; a group whose sends and receives to this rank do not pair up.
class SelfCommunicator {
  template <class E, class T>
  static constexpr bool can_copy = requires(E const& e, ViewOn<T const, E> in, ViewOn<T, E> out) {
    copy(e, in, out);
  };

 public:
  static constexpr bool stream_ordered = true;
  static constexpr bool device_pointers = true;
  static constexpr bool capturable = true;
  static constexpr bool bounded_wait = true;
  static constexpr std::size_t max_count = ~std::size_t{0};

  std::size_t rank() const { return 0; }
  std::size_t size() const { return 1; }
  void abort() const noexcept {}
  bool poll(std::chrono::milliseconds) const { return true; }
  SelfCommunicator split(std::size_t /*color*/, std::size_t /*key*/) const { return {}; }

  template <Executor E>
  void reserve(E const&, std::size_t /*bytes*/) const {}

  template <Executor E, Reducible T>
  void all_reduce(E const&, TensorView<T, typename E::memory_space>, ReduceOp op = ReduceOp::sum) const {
    detail::check_op<T>(op);
  }

  template <Executor E, Transferable T>
  requires can_copy<E, T>
  void all_gather(E const& executor, std::type_identity_t<ViewOn<T const, E>> block,
                  TensorView<T, typename E::memory_space> all) const {
    detail::check_gather(0, 1, block.data(), block.size(), all.data(), all.size());
    if (block.data() != all.data()) copy(executor, block, all);
  }

  template <Executor E, Reducible T>
  requires can_copy<E, T>
  void reduce_scatter(E const& executor, std::type_identity_t<ViewOn<T const, E>> all,
                      TensorView<T, typename E::memory_space> part, ReduceOp op = ReduceOp::sum,
                      std::span<std::size_t const> boundaries = {}) const {
    detail::check_op<T>(op);
    detail::PartBoundaries const parts(boundaries, all.size(), 1);
    detail::check_scatter<T>(parts, 0, all.data(), all.size(), part.data(), part.size());
    if (part.data() != all.data()) copy(executor, all, part);
  }

  template <Executor E, Transferable T>
  void broadcast(E const&, TensorView<T, typename E::memory_space>, std::size_t root) const {
    detail::check_root(root, 1);
  }

  template <HostOrderedExecutor E>
  void exchange(E const& executor, std::span<Transfer<HostSpace> const> transfers) const {
    detail::check_peers(transfers, 1);
    executor.submit([transfers] { exchange_now(transfers); });
  }

 private:
  using Direction = Transfer<HostSpace>::Direction;

  /// The n-th send meets the n-th receive.
  static void exchange_now(std::span<Transfer<HostSpace> const> transfers) {
    std::size_t next_receive = 0;
    for (Transfer<HostSpace> const& sent : transfers) {
      if (sent.direction != Direction::send) continue;
      next_receive = find_receive(transfers, next_receive);
      if (next_receive == transfers.size())
        throw ContractViolation("exchange: a send to this rank has no receive");
      Transfer<HostSpace> const& received = transfers[next_receive++];
      if (received.bytes != sent.bytes || received.type != sent.type) {
        throw FingerprintMismatch("exchange: rank 0 sends " + std::to_string(sent.bytes) + " bytes of " +
                                  name_of(sent.type) + " to itself and receives " +
                                  std::to_string(received.bytes) + " bytes of " + name_of(received.type));
      }
      if (sent.bytes > 0) std::memcpy(received.data, sent.data, sent.bytes);
    }
    if (find_receive(transfers, next_receive) != transfers.size()) {
      throw ContractViolation("exchange: a receive from this rank has no send");
    }
  }

  static std::size_t find_receive(std::span<Transfer<HostSpace> const> transfers, std::size_t from) {
    while (from < transfers.size() && transfers[from].direction != Direction::receive) ++from;
    return from;
  }
};

}  // namespace weir::inline v1
