#pragma once

#include <mpi.h>

#include <cstddef>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "weir/comm/check_arguments.hpp"
#include "weir/comm/concepts.hpp"
#include "weir/comm/options.hpp"
#include "weir/core/clock.hpp"
#include "weir/mpi/member.hpp"

namespace weir::inline v1 {

class MpiTransport;

/// The ranks of an `MPI_Comm` that the caller owns and that is duplicated here. MPI is neither initialised
/// nor ended.
///
/// Results have the same bits on all ranks, and those of a `ThreadCommunicator`: elements are combined in
/// rank order. Ranks compare fingerprints before the first use of an operation with its count, type and
/// layout; afterwards every message carries a tag of its operation's sequence and shape, and ranks that wait
/// for long tell each other where, so that another order is found out without cost while they agree. All
/// ranks have the same representation of numbers. Cost: non-blocking messages of at most 2^30 bytes; an
/// all_reduce sends and receives 2 (R-1)/R of the data in pieces of 4 MiB, at most 8 KiB are sent to
/// everybody at once. No allocation after `reserve`. Streams: MPI is called on the thread of the executor's
/// stream, and by the caller of `poll`, `split` and `abort`. The operations of one rank are called from one
/// stream at a time. Below `MPI_THREAD_MULTIPLE` all communicators of a process are made by `split` from one,
/// which shares the lock around the calls, and the program's own MPI calls keep out of their way. Errors:
/// `ContractViolation` if MPI is not initialised, or below `MPI_THREAD_SERIALIZED`. From the executor's
/// `synchronize`, each leaving the communicator unusable on all ranks: `FingerprintMismatch` on all ranks;
/// `PeerTimeout` on all survivors if a rank does not move before the deadline; `PeerAborted` after `abort()`;
/// `MpiError`. After a failure the memory of the operation that failed stays valid until the program ends,
/// because MPI cannot take back a message that has begun; the duplicates are not freed then. It goes when no
/// rank will send to this one any more: MPI gives what is freed to communicators made later.
class MpiCommunicator {
 public:
  static constexpr bool stream_ordered = true;
  static constexpr bool device_pointers = false;
  static constexpr bool capturable = false;
  static constexpr bool bounded_wait = true;
  static constexpr std::size_t max_count = std::numeric_limits<std::size_t>::max();

  /// All ranks of `communicator` call it.
  explicit MpiCommunicator(MPI_Comm communicator, CommOptions const& options = {})
      : member_(duplicate(communicator, options)) {}

  std::size_t rank() const { return member_->rank(); }
  std::size_t size() const { return member_->size(); }

  /// What `reserve` takes from the executor. Units: bytes.
  std::size_t scratch_bytes(std::size_t bytes) const { return member_->scratch_bytes(bytes); }

  /// Takes the scratch memory for operations on up to `bytes` bytes: at most 4 MiB, or 8 KiB per rank.
  template <HostOrderedExecutor E>
  void reserve(E const& executor, std::size_t bytes) const {
    std::size_t const needed = member_->scratch_bytes(bytes);
    auto* const memory = static_cast<std::byte*>(executor.allocate(needed));
    Member::Scratch scratch(memory,
                            [executor, needed](std::byte* taken) { executor.deallocate(taken, needed); });
    enqueue(executor, [scratch, needed](Member& member) { member.use_scratch(scratch, needed); });
  }

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

  /// Streams: the transfers and their memory live until the work has run. Errors: the sizes of a message are
  /// compared, not its element types.
  template <HostOrderedExecutor E>
  void exchange(E const& executor, std::span<Transfer<HostSpace> const> transfers) const {
    detail::check_peers(transfers, size());
    enqueue(executor, [transfers](Member& member) { member.exchange(transfers); });
  }

  /// Makes every rank that waits, or will wait, throw `PeerAborted`. From any thread.
  void abort() const noexcept { member_->link().abort(); }

  /// Waits until this rank's operations have ended, true, or `deadline` has passed, false.
  /// Errors: what has made the communicator unusable.
  bool poll(std::chrono::milliseconds deadline) const {
    auto const end = CommOptions{deadline}.give_up_time();
    for (;; std::this_thread::sleep_for(std::chrono::microseconds(50))) {
      bool const is_idle = member_->is_idle();  // first: what ends by failing fails before it ends
      member_->link().check();
      if (is_idle) return true;
      if (std::chrono::steady_clock::now() >= end) return false;
    }
  }

  /// A communicator of the ranks with the same color, ordered by key, then by rank.
  /// Streams: blocks until all ranks have called it, while no operation is enqueued.
  MpiCommunicator split(std::size_t color, std::size_t key) const {
    constexpr auto largest = static_cast<std::size_t>(std::numeric_limits<int>::max());
    if (color > largest || key > largest)
      throw ContractViolation("split: MPI takes colors and keys below 2^31");
    detail::MpiLink& link = member_->link();
    member_->meet(CommOperation::split);
    std::lock_guard const lock(*link.gate());
    MPI_Comm data = MPI_COMM_NULL;
    MPI_Comm notices = MPI_COMM_NULL;
    int const mpi_color = static_cast<int>(color);
    int const mpi_key = static_cast<int>(key);
    check_mpi(MPI_Comm_split(link.data(), mpi_color, mpi_key, &data), "MPI_Comm_split");
    check_mpi(MPI_Comm_split(link.notices().communicator(), mpi_color, mpi_key, &notices), "MPI_Comm_split");
    return MpiCommunicator(std::make_shared<Member>(data, notices, link.options(), link.gate()));
  }

 private:
  using Member = detail::MpiMember;
  friend class MpiTransport;

  explicit MpiCommunicator(std::shared_ptr<Member> member) : member_(std::move(member)) {}

  static std::shared_ptr<Member> duplicate(MPI_Comm communicator, CommOptions const& options) {
    check_environment();
    if (communicator == MPI_COMM_NULL) throw ContractViolation("MPI_COMM_NULL is no communicator");
    MPI_Comm const data = duplicate_within(communicator, options);
    check_mpi(MPI_Comm_set_errhandler(data, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    MPI_Comm const notices = duplicate_within(data, options);
    check_mpi(MPI_Comm_set_errhandler(notices, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    return std::make_shared<Member>(data, notices, options, std::make_shared<std::mutex>());
  }

  static void check_environment() {
    int is_initialized = 0;
    int is_finalized = 0;
    check_mpi(MPI_Initialized(&is_initialized), "MPI_Initialized");
    check_mpi(MPI_Finalized(&is_finalized), "MPI_Finalized");
    if (is_initialized == 0 || is_finalized != 0) {
      throw ContractViolation(
          "MPI is not running: the program calls MPI_Init_thread with MPI_THREAD_SERIALIZED or more before "
          "it makes "
          "a communicator");
    }
    int provided = MPI_THREAD_SINGLE;
    check_mpi(MPI_Query_thread(&provided), "MPI_Query_thread");
    if (provided >= MPI_THREAD_SERIALIZED) return;
    throw ContractViolation(
        std::string("MPI was initialised with ") +
        (provided == MPI_THREAD_FUNNELED ? "MPI_THREAD_FUNNELED" : "MPI_THREAD_SINGLE") +
        ", but is called from stream threads: MPI_Init_thread with MPI_THREAD_SERIALIZED or more "
        "is needed");
  }

  static MPI_Comm duplicate_within(MPI_Comm communicator, CommOptions const& options) {
    auto const end = options.give_up_time();
    auto result = std::make_unique<MPI_Comm>(MPI_COMM_NULL);
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Comm_idup(communicator, result.get(), &request), "MPI_Comm_idup");
    for (int is_done = 0; is_done == 0; std::this_thread::yield()) {
      check_mpi(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), "MPI_Test");
      if (is_done == 0 && std::chrono::steady_clock::now() >= end) {
        (void)result.release();  // MPI may still write to it
        throw PeerTimeout("MpiCommunicator", 0,
                          "not all ranks made it within " + std::to_string(options.deadline.count()) + " ms");
      }
    }
    return *result;
  }

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
