#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace weir::inline v1 {

/// A counter that only grows, and that threads can wait for.
///
/// Cost: no system call to advance while nobody sleeps. Who waits gives way a few times first: on a busy
/// machine that lets the others run, on an idle one it saves putting the core to sleep, which costs tens of
/// microseconds to undo.
class Progress {
 public:
  using Count = std::uint64_t;

  Count count() const { return count_.load(std::memory_order_acquire); }

  void advance() {
    count_.fetch_add(1, std::memory_order_acq_rel);
    count_.notify_all();
  }

  void advance_to(Count target) {
    count_.store(target, std::memory_order_release);
    count_.notify_all();
  }

  /// Blocks until the count has reached `target`.
  void wait_for(Count target) const {
    for (int turn = 0; turn < patience; ++turn) {
      if (count() >= target) return;
      std::this_thread::yield();
    }
    for (Count now = count(); now < target; now = count()) count_.wait(now, std::memory_order_acquire);
  }

 private:
  static constexpr int patience = 20;

  std::atomic<Count> count_ = 0;
};

}  // namespace weir::inline v1
