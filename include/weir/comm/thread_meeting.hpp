#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/comm/mismatch.hpp"
#include "weir/comm/options.hpp"
#include "weir/comm/thread_mailbox.hpp"
#include "weir/comm/thread_signal.hpp"
#include "weir/core/progress.hpp"

namespace weir::inline v1::detail {

/// Where the ranks of a `ThreadCommunicator` meet.
///
/// A collective has three phases: every rank posts what it brings and waits for the others (`enter`), reads
/// and writes the memory of all, and waits until nobody does so any more (`leave`). Either all ranks come
/// through `enter` or none; who is through only computes, so `leave` needs no deadline, and no memory is
/// touched after its operation has ended.
class ThreadMeeting {
 public:
  struct Post {
    Fingerprint fingerprint;
    void const* in = nullptr;
    void* out = nullptr;
  };

  ThreadMeeting(std::size_t size, CommOptions const& options)
      : options_(options), signal_(size), mailbox_(size, signal_, options), posts_(size), entries_(size, 0) {}

  std::size_t size() const { return posts_.size(); }
  CommOptions const& options() const { return options_; }
  ThreadSignal& signal() { return signal_; }
  ThreadMailbox& mailbox() { return mailbox_; }

  /// Between `enter` and `leave`.
  Post const& post(std::size_t rank) const { return posts_[rank]; }

  /// Errors: `FingerprintMismatch` on all ranks if they do not agree; `PeerTimeout` on all who wait if a rank
  /// does not come before the deadline; `PeerAborted` after `abort`, or if a rank can never come.
  void enter(std::size_t rank, Post const& mine, OperationLog const& log) {
    wait_for_all(rank, mine);
    std::string mismatch = find_mismatch(
        rank, size(), [&](std::size_t other) { return posts_[other].fingerprint; }, &log);
    if (mismatch.empty()) return;
    leave(rank);
    FingerprintMismatch const error(mismatch);
    {
      auto const lock = signal_.lock();
      signal_.fail_mismatch(std::move(mismatch));
    }
    throw error;
  }

  /// Called by every rank that has entered. Not ended by `abort`.
  void leave(std::size_t rank) {
    Progress::Count const everybody = entries_[rank] * size();
    left_.advance();
    left_.wait_for(everybody);
  }

 private:
  void wait_for_all(std::size_t rank, Post const& mine) {
    auto lock = signal_.lock();
    if (signal_.is_failed()) signal_.throw_failure();
    posts_[rank] = mine;
    Progress::Count const round = ++entries_[rank];
    if (++entered_ == round * size()) {
      complete_.store(round, std::memory_order_release);
      signal_.change();
      return;
    }
    auto const is_complete = [&] { return complete_.load(std::memory_order_acquire) >= round; };
    signal_.wait(lock, options_.give_up_time(), [&] { return is_complete() || signal_.somebody_is_gone(); });
    if (is_complete()) return;
    if (!signal_.is_failed()) give_up(round, mine.fingerprint);
    signal_.throw_failure();
  }

  void give_up(Progress::Count round, Fingerprint const& operation) {
    std::string missing;
    for (std::size_t rank = 0; rank < size(); ++rank) {
      if (signal_.is_gone(rank)) return signal_.fail_aborted(rank);
      if (entries_[rank] < round) missing += (missing.empty() ? "rank " : ", rank ") + std::to_string(rank);
    }
    signal_.fail_timeout(operation, missing + " did not take part within " +
                                        std::to_string(options_.deadline.count()) + " ms");
  }

  CommOptions options_;
  ThreadSignal signal_;
  ThreadMailbox mailbox_;
  std::vector<Post> posts_;               // by rank; written before `enter`, read before `leave`
  std::vector<Progress::Count> entries_;  // by rank; written with the lock, read with it or by that rank
  Progress::Count entered_ = 0;
  std::atomic<Progress::Count> complete_ = 0;
  Progress left_;
};

}  // namespace weir::inline v1::detail
