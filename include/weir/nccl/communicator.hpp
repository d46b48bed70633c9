#pragma once

#include <nccl.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "weir/comm/check_arguments.hpp"
#include "weir/comm/concepts.hpp"
#include "weir/comm/fingerprint.hpp"
#include "weir/comm/options.hpp"
#include "weir/core/clock.hpp"
#include "weir/nccl/element.hpp"
#include "weir/nccl/member.hpp"

namespace weir::inline v1 {

/// The ranks of an `ncclComm_t`, the caller's or one that `make_nccl_comm` made. A copy names the same rank.
///
/// Before the first use of an operation with its count, type and layout the ranks compare fingerprints, which
/// waits for all of them; afterwards an operation is enqueued and returns, and can be captured. Results have
/// the same bits on all ranks, but NCCL chooses the order in which it sums, sums 16-bit elements in their own
/// type, and decides whether `max` and `min` keep a NaN; there is no `bit_or`.
///
/// Cost: one launch and two recorded events an operation; no allocation after `reserve`. Streams: enqueued on
/// the executor's stream, whose device is the communicator's. The operations of one rank are called from one
/// thread at a time, each rank's from a thread or process of its own, and not inside the caller's
/// ncclGroupStart. Errors, each but `ContractViolation` leaving the communicator unusable, and rethrown by
/// every later call: `FingerprintMismatch` on all ranks; `PeerTimeout` from `poll`, or from a first use,
/// where an operation that has begun on this rank has not ended within the deadline; `PeerAborted` after
/// `abort()` and where NCCL reports a remote error; `NcclError`. `NotCapturable` for a first use during a
/// capture. What a graph replays is not watched, but for NCCL's own errors.
///
/// A failed communicator is aborted, because that alone ends what hangs on the device: the owner of a
/// borrowed one asks `is_aborted()` and then does not destroy it. A borrowed one should be non-blocking
/// (`config.blocking = 0`), or NCCL's own calls may wait without end.
class NcclCommunicator {
 public:
  static constexpr bool stream_ordered = true;
  static constexpr bool device_pointers = true;
  static constexpr bool capturable = true;
  static constexpr bool bounded_wait = true;
  static constexpr std::size_t max_count = std::numeric_limits<std::size_t>::max();

  /// Borrows a communicator, which outlives what is enqueued. Errors: `NcclError`, `ContractViolation`.
  explicit NcclCommunicator(ncclComm_t communicator, CommOptions const& options = {})
      : member_(std::make_shared<Member>(communicator, false, options)) {}

  /// Takes a communicator over: the last copy ends it, within the deadline, and aborts it where a rank is
  /// gone.
  static NcclCommunicator own(ncclComm_t communicator, CommOptions const& options = {}) {
    return NcclCommunicator(std::make_shared<Member>(communicator, true, options));
  }

  std::size_t rank() const { return member_->rank(); }
  std::size_t size() const { return member_->size(); }
  int device() const { return member_->device(); }

  /// Null once it was aborted.
  ncclComm_t handle() const { return member_->handle(); }

  /// Whether ncclCommAbort was called on it, after which it must not be destroyed.
  bool is_aborted() const { return member_->is_aborted(); }

  /// Takes the memory in which fingerprints are compared, 32 bytes for each rank, whatever `bytes` is. Its
  /// source outlives the communicator.
  template <DeviceStreamExecutor E>
  void reserve(E const& executor, std::size_t /*bytes*/) const {
    member_->reserve(executor);
  }

  template <DeviceStreamExecutor E, Reducible T>
  void all_reduce(E const& executor, TensorView<T, DeviceSpace> data, ReduceOp op = ReduceOp::sum) const {
    ncclRedOp_t const nccl = nccl_op(op);
    collective<T>(executor, {CommOperation::all_reduce, data.size(), op}, "ncclAllReduce",
                  [&](ncclComm_t comm, cudaStream_t stream) {
                    return ncclAllReduce(data.data(), data.data(), data.size(), type<T>, nccl, comm, stream);
                  });
  }

  /// Shapes: `all` is `size()` blocks. `block` may be the own place in `all`.
  template <DeviceStreamExecutor E, Transferable T>
  void all_gather(E const& executor, TensorView<std::type_identity_t<T> const, DeviceSpace> block,
                  TensorView<T, DeviceSpace> all) const {
    detail::check_gather(rank(), size(), block.data(), block.size(), all.data(), all.size());
    collective<T>(executor, {CommOperation::all_gather, block.size()}, "ncclAllGather",
                  [&](ncclComm_t comm, cudaStream_t stream) {
                    return ncclAllGather(block.data(), all.data(), block.size() * sizeof(T), ncclUint8, comm,
                                         stream);
                  });
  }

  /// Shapes: `part` is elements n*r/R to n*(r+1)/R of the sum, or `boundaries[r]` to `boundaries[r + 1]`; it
  /// may be the own place in `all`. Cost: parts of one size are one ncclReduceScatter, others a group of one
  /// ncclReduce for each rank, which moves about twice as much.
  template <DeviceStreamExecutor E, Reducible T>
  void reduce_scatter(E const& executor, TensorView<std::type_identity_t<T> const, DeviceSpace> all,
                      TensorView<T, DeviceSpace> part, ReduceOp op = ReduceOp::sum,
                      std::span<std::size_t const> boundaries = {}) const {
    ncclRedOp_t const nccl = nccl_op(op);
    detail::PartBoundaries const parts(boundaries, all.size(), size());
    detail::check_scatter<T>(parts, rank(), all.data(), all.size(), part.data(), part.size());
    Call const call{CommOperation::reduce_scatter, all.size(), op, parts.hash()};
    if (is_even(parts)) {
      return collective<T>(executor, call, "ncclReduceScatter", [&](ncclComm_t comm, cudaStream_t stream) {
        return ncclReduceScatter(all.data(), part.data(), part.size(), type<T>, nccl, comm, stream);
      });
    }
    collective<T>(executor, call, "ncclReduce", [&](ncclComm_t comm, cudaStream_t stream) {
      return in_group(size(), [&](std::size_t r) {
        if (parts.size(r) == 0) return ncclSuccess;
        return ncclReduce(all.data() + parts.begin(r), part.data(), parts.size(r), type<T>, nccl,
                          static_cast<int>(r), comm, stream);
      });
    });
  }

  template <DeviceStreamExecutor E, Transferable T>
  void broadcast(E const& executor, TensorView<T, DeviceSpace> data, std::size_t root) const {
    detail::check_root(root, size());
    collective<T>(executor, {CommOperation::broadcast, data.size(), ReduceOp::sum, 0, root}, "ncclBroadcast",
                  [&](ncclComm_t comm, cudaStream_t stream) {
                    return ncclBroadcast(data.data(), data.data(), data.size() * sizeof(T), ncclUint8,
                                         static_cast<int>(root), comm, stream);
                  });
  }

  /// Streams: the memory of the transfers lives until the work has run. Errors: the peers' sizes are not
  /// compared; where they differ, the operation does not end.
  template <DeviceStreamExecutor E>
  void exchange(E const& executor, std::span<Transfer<DeviceSpace> const> transfers) const {
    detail::check_peers(transfers, size());
    check_device(executor);
    Fingerprint mine;
    mine.operation = CommOperation::exchange;
    mine.count = transfers.size();
    mine.layout = layout_of(transfers);
    member_->exchange(executor, mine, "ncclGroupEnd", [&](ncclComm_t comm, cudaStream_t stream) {
      return in_group(transfers.size(), [&](std::size_t i) {
        Transfer<DeviceSpace> const& transfer = transfers[i];
        int const peer = static_cast<int>(transfer.peer);
        if (transfer.bytes == 0) return ncclSuccess;
        return transfer.direction == Transfer<DeviceSpace>::Direction::send
                   ? ncclSend(transfer.data, transfer.bytes, ncclUint8, peer, comm, stream)
                   : ncclRecv(transfer.data, transfer.bytes, ncclUint8, peer, comm, stream);
      });
    });
  }

  /// Calls `enqueue()` and watches what it appends to the executor's stream as if it were one operation: for
  /// the replays of a graph in which operations were captured. Errors: what `enqueue` throws, and what has
  /// made the communicator unusable.
  template <DeviceStreamExecutor E, std::invocable Enqueue>
  void watch(E const& executor, Enqueue const& enqueue) const {
    check_device(executor);
    member_->watch(executor, enqueue);
  }

  /// Ends what hangs on this rank's device; the others find out from NCCL or by the deadline. Every later
  /// call throws `PeerAborted`. From any thread.
  void abort() const noexcept { member_->abort(); }

  /// Waits until this rank's operations have ended, true, or `deadline` has passed, false. `poll(0ms)` costs
  /// a few calls and can be called again and again by whoever waits for the stream, from any thread. Errors:
  /// what has made the communicator unusable.
  bool poll(std::chrono::milliseconds deadline) const {
    auto const end = CommOptions{deadline}.give_up_time();
    for (;; std::this_thread::sleep_for(std::chrono::microseconds(20))) {
      if (member_->poll()) return true;
      if (std::chrono::steady_clock::now() >= end) return false;
    }
  }

  /// The caller waits for the executor's stream, and looks meanwhile after this rank's operations, and those
  /// of other communicators that may hold it up.
  /// Errors: what has made a communicator unusable.
  template <DeviceStreamExecutor E, class... Others>
  void synchronize(E const& executor, Others const&... others) const {
    for (int turn = 0;; ++turn) {
      bool has_ended = member_->poll();
      ((has_ended = others.poll(std::chrono::milliseconds(0)) && has_ended), ...);
      if (has_ended) break;
      turn < 100 ? std::this_thread::yield() : std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    executor.synchronize();
  }

  /// One look at what is under way. Errors: what has made the communicator unusable.
  void check() const { member_->poll(); }

  /// The oldest operation of this rank that had not ended when `poll` or `check` last looked, also if that
  /// threw. Those of one kind are numbered from 1.
  std::optional<Fingerprint> oldest() const { return member_->oldest(); }

  /// A communicator of the ranks with the same color, ordered by key, then by rank.
  /// Streams: blocks until all ranks have called it, so each from its own thread.
  NcclCommunicator split(std::size_t color, std::size_t key) const {
    constexpr auto largest = static_cast<std::size_t>(std::numeric_limits<int>::max());
    if (color > largest || key > largest)
      throw ContractViolation("split: NCCL takes colors and keys below 2^31");
    return NcclCommunicator(member_->split(static_cast<int>(color), static_cast<int>(key)));
  }

 private:
  using Member = detail::NcclMember;

  /// What goes into a fingerprint besides the type.
  struct Call {
    CommOperation operation;
    std::size_t count;
    ReduceOp op = ReduceOp::sum;
    std::uint64_t layout = 0;
    std::size_t root = 0;
  };

  template <class T>
  static constexpr ncclDataType_t type = nccl_type(wire_type_of<T>);

  explicit NcclCommunicator(std::shared_ptr<Member> member) : member_(std::move(member)) {}

  template <class T, class E, class Function>
  void collective(E const& executor, Call const& call, char const* name, Function const& function) const {
    check_device(executor);
    Fingerprint mine;
    mine.operation = call.operation;
    mine.type = wire_type_of<T>;
    mine.count = mine.type == WireType::bytes ? call.count * sizeof(T) : call.count;
    mine.op = call.op;
    mine.layout = call.layout;
    mine.root = static_cast<std::uint32_t>(call.root);
    member_->collective(executor, mine, name, [&](ncclComm_t comm, cudaStream_t stream) {
      return call.count == 0 ? ncclSuccess : function(comm, stream);
    });
  }

  template <class E>
  void check_device(E const& executor) const {
    if constexpr (requires { executor.device() == device(); }) {
      if (executor.device() == device()) return;
      throw ContractViolation("the executor's stream is on device " + std::to_string(executor.device()) +
                              ", the communicator on device " + std::to_string(device()));
    }
  }

  bool is_even(detail::PartBoundaries const& parts) const {
    for (std::size_t r = 1; r < size(); ++r) {
      if (parts.size(r) != parts.size(0)) return false;
    }
    return true;
  }

  /// Without the sizes, which may be others each time: a capture needs the connections only.
  static std::uint64_t layout_of(std::span<Transfer<DeviceSpace> const> transfers) {
    std::uint64_t hash = layout_hash_seed;
    for (Transfer<DeviceSpace> const& transfer : transfers) {
      hash = layout_hash(hash, static_cast<std::uint64_t>(transfer.direction));
      hash = layout_hash(layout_hash(hash, transfer.peer), transfer.bytes != 0);
    }
    return hash;
  }

  /// `call(0)` to `call(count - 1)`, posted together.
  template <class Function>
  static ncclResult_t in_group(std::size_t count, Function const& call) {
    ncclResult_t result = ncclGroupStart();
    if (result != ncclSuccess) return result;
    for (std::size_t i = 0; i < count && (result == ncclSuccess || result == ncclInProgress); ++i)
      result = call(i);
    ncclResult_t const end = ncclGroupEnd();
    return result == ncclSuccess || result == ncclInProgress ? end : result;
  }

  std::shared_ptr<Member> member_;
};

}  // namespace weir::inline v1
