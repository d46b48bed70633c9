#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "weir/core/clock.hpp"

namespace weir::inline v1 {

/// What one thread sleeps at until others have changed something for it.
///
/// Cost: no system call to ring while nobody sleeps. Who waits gives way a few times before the core is put
/// to sleep, which takes tens of microseconds to undo.
class Doorbell {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// After a change. From any thread.
  void ring() noexcept {
    rings_.fetch_add(1);
    if (!is_asleep_.load()) return;
    std::lock_guard const lock(mutex_);
    changed_.notify_all();
  }

  /// Waits until `is_over()`, which is not called again once it was true, or until `end`. Returns whether it
  /// was. `meanwhile()` is called before each look while who waits gives way, and may ring. By one thread at
  /// a time.
  template <class IsOver, class Meanwhile>
  bool wait_until(Time end, IsOver const& is_over, Meanwhile const& meanwhile) {
    for (int turn = 0; turn < patience; ++turn) {
      meanwhile();
      if (is_over()) return true;
      std::this_thread::yield();
    }
    std::unique_lock lock(mutex_);
    is_asleep_.store(true);
    bool result = false;
    for (bool is_late = false;; is_late = std::chrono::steady_clock::now() >= end) {
      auto const heard = rings_.load();
      result = is_over();
      if (result || is_late) break;
      changed_.wait_until(lock, end, [&] { return rings_.load() != heard; });
    }
    is_asleep_.store(false);
    return result;
  }
  template <class IsOver>
  bool wait_until(Time end, IsOver const& is_over) {
    return wait_until(end, is_over, [] {});
  }

 private:
  static constexpr int patience = 100;

  std::atomic<std::uint64_t> rings_ = 0;
  std::atomic<bool> is_asleep_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace weir::inline v1
