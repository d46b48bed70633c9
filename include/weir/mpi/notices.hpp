#pragma once

#include <mpi.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/mismatch.hpp"
#include "weir/comm/operation_log.hpp"
#include "weir/core/clock.hpp"
#include "weir/mpi/error.hpp"
#include "weir/mpi/failure.hpp"

namespace weir::inline v1::detail {

/// What the ranks of an `MpiCommunicator` tell each other beside the data: where they wait, and that they
/// have failed. A failure on one rank becomes one on all. The caller of every function but `is_failed` holds
/// the gate.
class MpiNotices {
 public:
  /// Takes the communicator.
  MpiNotices(MPI_Comm communicator, std::size_t rank, std::size_t size, std::chrono::milliseconds deadline)
      : communicator_(communicator),
        rank_(rank),
        deadline_(deadline),
        heard_(size),
        outbox_(std::make_unique<Outbox>(size)) {}

  MpiNotices(MpiNotices const&) = delete;
  MpiNotices& operator=(MpiNotices const&) = delete;

  /// The communicator is left to MPI; see `free`.
  ~MpiNotices() {
    if (communicator_ != MPI_COMM_NULL) (void)outbox_.release();  // MPI may still read it
  }

  /// Gives the communicator back, once nothing is on its way any more.
  void free() noexcept {
    if (!Outbox::is_sent(outbox_->waiting_requests) || !Outbox::is_sent(outbox_->failure_requests)) return;
    MPI_Comm_free(&communicator_);
    communicator_ = MPI_COMM_NULL;
  }

  MPI_Comm communicator() const { return communicator_; }
  OperationLog const& log() const { return log_; }

  /// Without the gate, too.
  bool is_failed() const { return is_failed_.load(std::memory_order_acquire); }
  void check() const {
    if (is_failed()) failure_.raise();
  }

  /// Notes what this rank does next, and compares it with where others were heard to wait.
  void begin(Fingerprint const& operation) {
    check();
    log_.add(operation);
    for (std::size_t peer = 0; has_heard_ && peer < heard_.size(); ++peer) compare(peer, heard_[peer]);
    has_heard_ = false;
    check();
  }

  void read() {
    for (;;) {
      int has_arrived = 0;
      MPI_Status status;
      check_mpi(MPI_Iprobe(MPI_ANY_SOURCE, tag, communicator_, &has_arrived, &status), "MPI_Iprobe");
      if (has_arrived == 0) return;
      MpiNotice notice;
      check_mpi(MPI_Recv(&notice, sizeof(notice), MPI_BYTE, status.MPI_SOURCE, tag, communicator_,
                         MPI_STATUS_IGNORE),
                "MPI_Recv");
      hear(notice);
    }
  }

  void tell_waiting(Fingerprint const& operation) {
    if (operation.operation == CommOperation::exchange || !Outbox::is_sent(outbox_->waiting_requests)) return;
    outbox_->waiting = {};
    outbox_->waiting.left_rank = narrow(rank_);
    outbox_->waiting.left = operation;
    tell(outbox_->waiting, outbox_->waiting_requests);
  }

  /// The first failure stays.
  void fail_aborted() noexcept {
    MpiNotice notice;
    notice.kind = MpiNotice::Kind::aborted;
    notice.left_rank = narrow(rank_);
    fail(notice, {}, true);
  }

  void fail_timeout(Fingerprint const& operation, std::size_t missing, std::string const& all_missing) {
    MpiNotice notice;
    notice.kind = MpiNotice::Kind::timeout;
    notice.left_rank = narrow(rank_);
    notice.right_rank = narrow(missing);
    notice.left = operation;
    fail(notice, all_missing + timeout_text(), true);
  }

  void fail_mismatch(std::size_t left_rank, Fingerprint const& left, std::size_t right_rank,
                     Fingerprint const& right, bool tell_others = true) {
    bool const is_in_order = left_rank < right_rank;
    MpiNotice notice;
    notice.kind = MpiNotice::Kind::mismatch;
    notice.left_rank = narrow(is_in_order ? left_rank : right_rank);
    notice.right_rank = narrow(is_in_order ? right_rank : left_rank);
    notice.left = is_in_order ? left : right;
    notice.right = is_in_order ? right : left;
    fail(notice, mismatch_text(rank_, notice.left_rank, notice.left, notice.right_rank, notice.right, &log_),
         tell_others);
  }

 private:
  static constexpr int tag = 1;

  /// Notices on their way: the last one of a wait and that of the failure.
  struct Outbox {
    explicit Outbox(std::size_t size)
        : waiting_requests(size, MPI_REQUEST_NULL), failure_requests(size, MPI_REQUEST_NULL) {}

    static bool is_sent(std::vector<MPI_Request>& requests) noexcept {
      int is_done = 0;
      int const count = static_cast<int>(requests.size());
      return MPI_Testall(count, requests.data(), &is_done, MPI_STATUSES_IGNORE) == MPI_SUCCESS &&
             is_done != 0;
    }

    MpiNotice waiting;
    MpiNotice failure;
    std::vector<MPI_Request> waiting_requests;
    std::vector<MPI_Request> failure_requests;
  };

  static std::uint32_t narrow(std::size_t rank) { return static_cast<std::uint32_t>(rank); }

  std::string timeout_text() const {
    return " did not take part within " + std::to_string(deadline_.count()) + " ms";
  }

  void hear(MpiNotice const& notice) {
    switch (notice.kind) {
      case MpiNotice::Kind::waiting:
        heard_[notice.left_rank] = notice.left;
        has_heard_ = true;
        return compare(notice.left_rank, notice.left);
      case MpiNotice::Kind::mismatch:
        return fail_mismatch(notice.left_rank, notice.left, notice.right_rank, notice.right, false);
      case MpiNotice::Kind::timeout:
        return fail(notice,
                    "rank " + std::to_string(notice.right_rank) + timeout_text() + ", says rank " +
                        std::to_string(notice.left_rank),
                    false);
      case MpiNotice::Kind::aborted:
        return fail(notice, {}, false);
    }
  }

  /// With what this rank did, or does, in the same place.
  void compare(std::size_t peer, Fingerprint const& theirs) {
    for (std::size_t i = 0; theirs.sequence != 0 && i < log_.size(); ++i) {
      if (log_[i].operation == CommOperation::exchange || log_[i].sequence != theirs.sequence) continue;
      if (log_[i] != theirs) fail_mismatch(rank_, log_[i], peer, theirs);
    }
  }

  void fail(MpiNotice const& notice, std::string text, bool tell_others) noexcept {
    if (is_failed()) return;
    failure_.notice = notice;
    failure_.text = std::move(text);
    is_failed_.store(true, std::memory_order_release);
    int is_finalized = 0;
    if (!tell_others || MPI_Finalized(&is_finalized) != MPI_SUCCESS || is_finalized != 0) return;
    outbox_->failure = notice;
    tell(outbox_->failure, outbox_->failure_requests);
  }

  void tell(MpiNotice const& notice, std::vector<MPI_Request>& requests) noexcept {
    for (std::size_t peer = 0; peer < heard_.size(); ++peer) {
      if (peer == rank_) continue;
      MPI_Isend(&notice, sizeof(notice), MPI_BYTE, static_cast<int>(peer), tag, communicator_,
                &requests[peer]);
    }
  }

  MPI_Comm communicator_;
  std::size_t rank_;
  std::chrono::milliseconds deadline_;
  OperationLog log_;
  std::vector<Fingerprint> heard_;  // where each rank was last known to wait
  bool has_heard_ = false;
  std::unique_ptr<Outbox> outbox_;
  std::atomic<bool> is_failed_ = false;
  MpiFailure failure_;
};

}  // namespace weir::inline v1::detail
