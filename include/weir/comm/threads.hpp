#pragma once

#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/comm/check_arguments.hpp"
#include "weir/comm/concepts.hpp"
#include "weir/comm/options.hpp"
#include "weir/comm/thread_member.hpp"
#include "weir/core/clock.hpp"

namespace weir::inline v1 {

/// N ranks in one process, each with its own stream.
///
/// Results have the same bits on all ranks: elements are combined in rank order. Every collective compares
/// the ranks' fingerprints. Cost: one pass over the data, shared by the ranks; two meetings of all ranks; no
/// allocation. Streams: an operation takes part when the executor's stream gets there and holds up only that
/// stream until the others come. The operations of one rank are called from one stream at a time. The memory
/// of an operation is not touched after it has ended, also when it has failed. Errors, from the executor's
/// `synchronize`; each but `ContractViolation` leaves the communicator unusable on all ranks:
/// `FingerprintMismatch` on all ranks; `PeerTimeout` on all who wait if a rank does not come before the
/// deadline; `PeerAborted` after `abort()`, or if the handles of a rank are gone.
class ThreadCommunicator {
 public:
  static constexpr bool stream_ordered = true;
  static constexpr bool device_pointers = false;
  static constexpr bool capturable = false;
  static constexpr bool bounded_wait = true;
  static constexpr std::size_t max_count = std::numeric_limits<std::size_t>::max();

  /// All ranks of a new group, in rank order.
  static std::vector<ThreadCommunicator> group(std::size_t size, CommOptions const& options = {}) {
    if (size == 0) throw ContractViolation("a group of threads has at least one rank");
    auto const meeting = std::make_shared<detail::ThreadMeeting>(size, options);
    std::vector<ThreadCommunicator> ranks;
    ranks.reserve(size);
    for (std::size_t rank = 0; rank < size; ++rank) {
      ranks.push_back(ThreadCommunicator(std::make_shared<detail::ThreadMember>(meeting, rank)));
    }
    return ranks;
  }

  std::size_t rank() const { return member_->rank(); }
  std::size_t size() const { return member_->size(); }

  /// Nothing: the ranks work in each other's memory.
  template <Executor E>
  void reserve(E const&, std::size_t /*bytes*/) const {}

  template <HostOrderedExecutor E, Reducible T>
  void all_reduce(E const& executor, TensorView<T, HostSpace> data, ReduceOp op = ReduceOp::sum) const {
    detail::check_op<T>(op);
    enqueue(executor, [data, op](Member& member) { member.all_reduce(data.data(), data.size(), op); });
  }

  /// Shapes: `all` is `size()` blocks. `block` may be the own place in `all`.
  template <HostOrderedExecutor E, Transferable T>
  void all_gather(E const& executor, TensorView<std::type_identity_t<T> const, HostSpace> block,
                  TensorView<T, HostSpace> all) const {
    detail::check_gather(rank(), size(), block.data(), block.size(), all.data(), all.size());
    enqueue(executor,
            [block, all](Member& member) { member.all_gather(block.data(), block.size(), all.data()); });
  }

  /// Shapes: `part` is elements n*r/R to n*(r+1)/R of the sum, or `boundaries[r]` to `boundaries[r + 1]`; it
  /// may be the own place in `all`. The boundaries live until the work has run.
  template <HostOrderedExecutor E, Reducible T>
  void reduce_scatter(E const& executor, TensorView<std::type_identity_t<T> const, HostSpace> all,
                      TensorView<T, HostSpace> part, ReduceOp op = ReduceOp::sum,
                      std::span<std::size_t const> boundaries = {}) const {
    detail::check_op<T>(op);
    detail::PartBoundaries const parts(boundaries, all.size(), size());
    detail::check_scatter<T>(parts, rank(), all.data(), all.size(), part.data(), part.size());
    enqueue(executor, [all, part_data = part.data(), op, parts](Member& member) {
      member.reduce_scatter(all.data(), all.size(), part_data, op, parts);
    });
  }

  template <HostOrderedExecutor E, Transferable T>
  void broadcast(E const& executor, TensorView<T, HostSpace> data, std::size_t root) const {
    detail::check_root(root, size());
    enqueue(executor, [data, root](Member& member) { member.broadcast(data.data(), data.size(), root); });
  }

  /// Streams: the transfers and their memory live until the work has run; a send has ended when it was
  /// received.
  template <HostOrderedExecutor E>
  void exchange(E const& executor, std::span<Transfer<HostSpace> const> transfers) const {
    detail::check_peers(transfers, size());
    enqueue(executor, [transfers](Member& member) { member.exchange(transfers); });
  }

  /// Makes every rank that waits, or will wait, throw `PeerAborted`. From any thread.
  void abort() const noexcept { member_->meeting().signal().abort(rank()); }

  /// Waits until this rank's operations have ended, true, or `deadline` has passed, false.
  /// Errors: what has made the communicator unusable.
  bool poll(std::chrono::milliseconds deadline) const {
    auto const end = CommOptions{deadline}.give_up_time();
    for (;; std::this_thread::sleep_for(std::chrono::microseconds(50))) {
      bool const is_idle = member_->is_idle();  // first: what ends by failing fails before it ends
      member_->meeting().signal().check();
      if (is_idle) return true;
      if (std::chrono::steady_clock::now() >= end) return false;
    }
  }

  /// A communicator of the ranks with the same color, ordered by key, then by rank.
  /// Streams: blocks until all ranks have called it, so each from its own thread, while no operation is
  /// enqueued.
  ThreadCommunicator split(std::size_t color, std::size_t key) const {
    return ThreadCommunicator(member_->split(color, key));
  }

 private:
  using Member = detail::ThreadMember;

  explicit ThreadCommunicator(std::shared_ptr<Member> member) : member_(std::move(member)) {}

  template <class E, class Work>
  void enqueue(E const& executor, Work const& work) const {
    member_->begin_call();
    executor.submit([member = member_, work] {
      struct EndCall {
        Member& member;
        ~EndCall() { member.end_call(); }
      } const end_call{*member};
      work(*member);
    });
  }

  std::shared_ptr<Member> member_;
};

}  // namespace weir::inline v1
