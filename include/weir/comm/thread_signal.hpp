#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1::detail {

/// How the ranks of a `ThreadCommunicator` tell each other that something has changed, or has failed for
/// good.
class ThreadSignal {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Lock = std::unique_lock<std::mutex>;

  explicit ThreadSignal(std::size_t size) : is_gone_(size, false) {}

  Lock lock() { return Lock(mutex_); }

  /// How often something has changed. Can be read without the lock.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  bool is_failed() const { return is_failed_.load(std::memory_order_acquire); }
  bool somebody_is_gone() const { return somebody_is_gone_.load(std::memory_order_acquire); }

  /// The caller holds the lock.
  bool is_gone(std::size_t rank) const { return is_gone_[rank]; }

  /// The caller holds the lock.
  void change() noexcept {
    version_.fetch_add(1, std::memory_order_acq_rel);
    changed_.notify_all();
  }

  /// Waits until `is_over()`, a failure, or `end`. The lock is held before and after. `is_over` is called
  /// with and without it. Who waits gives way a few times before the core is put to sleep, which takes tens
  /// of microseconds to undo.
  template <class IsOver>
  void wait(Lock& lock, Time end, IsOver const& is_over) {
    lock.unlock();
    for (int turn = 0; turn < patience && !is_over() && !is_failed(); ++turn) std::this_thread::yield();
    lock.lock();
    changed_.wait_until(lock, end, [&] { return is_over() || is_failed(); });
  }

  /// Waits without end for what is only a matter of computing.
  template <class IsOver>
  void wait_for_computation(Lock& lock, IsOver const& is_over) {
    changed_.wait(lock, is_over);
  }

  /// The first failure stays. The caller holds the lock.
  void fail_aborted(std::size_t rank) noexcept { fail(Kind::aborted, rank, {}, {}); }
  void fail_mismatch(std::string text) noexcept { fail(Kind::mismatch, 0, {}, std::move(text)); }
  void fail_timeout(Fingerprint const& operation, std::string text) noexcept {
    fail(Kind::timeout, 0, operation, std::move(text));
  }

  /// Throws the failure. The caller holds the lock.
  [[noreturn]] void throw_failure() const {
    switch (kind_) {
      case Kind::timeout:
        throw PeerTimeout(name_of(operation_.operation), operation_.sequence, text_);
      case Kind::mismatch:
        throw FingerprintMismatch(text_);
      case Kind::none:
      case Kind::aborted:
        break;
    }
    throw PeerAborted("rank " + std::to_string(rank_) + " has failed or left; the communicator is unusable");
  }

  /// Throws the failure, if there is one.
  void check() {
    if (!is_failed()) return;
    Lock const held = lock();
    throw_failure();
  }

  void abort(std::size_t rank) noexcept {
    Lock const held = lock();
    fail_aborted(rank);
  }

  /// The last handle of a rank is gone: who waits for it waits in vain.
  void depart(std::size_t rank) noexcept {
    Lock const held = lock();
    is_gone_[rank] = true;
    somebody_is_gone_.store(true, std::memory_order_release);
    change();
  }

 private:
  enum class Kind : std::uint8_t { none, aborted, timeout, mismatch };
  static constexpr int patience = 100;

  void fail(Kind kind, std::size_t rank, Fingerprint const& operation, std::string text) noexcept {
    if (kind_ != Kind::none) return;
    kind_ = kind;
    rank_ = rank;
    operation_ = operation;
    text_ = std::move(text);
    is_failed_.store(true, std::memory_order_release);
    change();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<std::uint64_t> version_ = 0;
  std::atomic<bool> is_failed_ = false;
  std::atomic<bool> somebody_is_gone_ = false;
  std::vector<bool> is_gone_;
  Kind kind_ = Kind::none;
  std::size_t rank_ = 0;
  Fingerprint operation_;
  std::string text_;
};

}  // namespace weir::inline v1::detail
