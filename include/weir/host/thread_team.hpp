#pragma once

#include <atomic>
#include <cstddef>
#include <mutex>
#include <thread>
#include <vector>

#include "weir/core/progress.hpp"

namespace weir::inline v1 {

/// Threads that share the loops of host verbs, made once.
///
/// A caller always works itself, so that a team of one has no thread at all, and one whose helpers are busy
/// with somebody else's loop goes on alone instead of waiting.
class ThreadTeam {
 public:
  /// `threads` counts the caller.
  explicit ThreadTeam(std::size_t threads) {
    try {
      for (std::size_t helper = 1; helper < threads; ++helper) helpers_.emplace_back([this] { help(); });
    } catch (...) {
      join();
      throw;
    }
  }

  ThreadTeam(ThreadTeam const&) = delete;
  ThreadTeam& operator=(ThreadTeam const&) = delete;

  ~ThreadTeam() { join(); }

  std::size_t size() const { return helpers_.size() + 1; }

  /// Calls `f(part)` once for each part in 0..parts-1, in any order and from several threads; returns when
  /// all have returned. `f` does not throw. Cost: allocates nothing.
  template <class Function>
  void run(std::size_t parts, Function const& f) {
    std::unique_lock lock(caller_, std::defer_lock);
    if (parts < 2 || helpers_.empty() || !lock.try_lock()) {
      for (std::size_t part = 0; part < parts; ++part) f(part);
      return;
    }
    parts_ = parts;
    function_ = &f;
    call_ = [](void const* function, std::size_t part) { (*static_cast<Function const*>(function))(part); };
    next_.store(0, std::memory_order_relaxed);
    rounds_.advance();
    work();
    done_.wait_for(rounds_.count() * helpers_.size());
  }

 private:
  void join() {
    stop_ = true;
    rounds_.advance();
    for (std::thread& helper : helpers_) helper.join();
  }

  void help() {
    for (Progress::Count round = 1;; ++round) {
      rounds_.wait_for(round);
      if (stop_) return;
      work();
      done_.advance();
    }
  }

  void work() {
    for (std::size_t part; (part = next_.fetch_add(1, std::memory_order_relaxed)) < parts_;) {
      call_(function_, part);
    }
  }

  std::mutex caller_;
  std::size_t parts_ = 0;
  void const* function_ = nullptr;
  void (*call_)(void const* function, std::size_t part) = nullptr;
  std::atomic<bool> stop_ = false;
  alignas(64) std::atomic<std::size_t> next_ = 0;
  alignas(64) Progress rounds_;
  alignas(64) Progress done_;
  std::vector<std::thread> helpers_;  // the last member: they use the others
};

}  // namespace weir::inline v1
