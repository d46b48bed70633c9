#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <mutex>
#include <utility>

#include "weir/core/progress.hpp"
#include "weir/exec/task.hpp"

namespace weir::inline v1 {

/// A bounded first-in-first-out queue of tasks: many producers, one consumer, no allocation.
template <class Argument>
class TaskRing {
 public:
  static constexpr std::size_t capacity = 64;

  /// Appends a task. Waits while the ring is full, as a kernel launch does on a full device queue.
  template <class F>
  void push(F&& f) {
    std::lock_guard lock(producers_);
    auto const index = pushed_.count();
    if (index >= capacity) finished_.wait_for(index - capacity + 1);
    append(std::forward<F>(f));
  }

  /// The consumer: runs tasks in order, up to the one that `close` pushed.
  void run(Argument& argument) {
    for (Progress::Count next = 0; !closed_; ++next) {
      pushed_.wait_for(next + 1);
      try {
        slots_[next % slots_.size()].run(argument);
      } catch (...) {
        keep_failure(std::current_exception());
      }
      finished_.advance_to(next + 1);
    }
  }

  /// The last thing that is pushed. Has a slot of its own, since who closes the ring may be a task in it.
  void close() {
    std::lock_guard lock(producers_);
    append([this] { closed_ = true; });
  }

  /// Blocks until everything pushed before the call has run.
  void settle() { finished_.wait_for(pushed_.count()); }

  /// The same; rethrows what a task threw, once.
  void drain() {
    settle();
    std::lock_guard lock(failure_mutex_);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  template <class F>
  void append(F&& f) {
    auto const index = pushed_.count();
    slots_[index % slots_.size()].emplace(std::forward<F>(f));
    pushed_.advance_to(index + 1);
  }

  void keep_failure(std::exception_ptr failure) {
    std::lock_guard lock(failure_mutex_);
    if (!failure_) failure_ = std::move(failure);
  }

  std::mutex producers_;
  alignas(64) Progress pushed_;
  alignas(64) Progress finished_;
  std::array<Task<Argument, 240>, capacity + 1> slots_;
  bool closed_ = false;  // the consumer's
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
};

}  // namespace weir::inline v1
