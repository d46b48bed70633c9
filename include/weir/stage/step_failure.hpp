#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <limits>
#include <mutex>
#include <utility>

namespace weir::inline v1 {

/// The first failure of a step: that of the lowest worker of those that failed, before those of stages.
class StepFailure {
 public:
  static constexpr std::size_t in_a_stage = std::numeric_limits<std::size_t>::max();

  /// Returns true for the first one since the last `take`.
  bool keep(std::size_t worker, std::exception_ptr failure) noexcept {
    std::lock_guard const lock(mutex_);
    if (failure_ == nullptr || worker < worker_) {
      failure_ = std::move(failure);
      worker_ = worker;
    }
    return !present_.exchange(true, std::memory_order_acq_rel);
  }

  bool present() const noexcept { return present_.load(std::memory_order_acquire); }

  /// The failure, which is then forgotten; null if there was none.
  std::exception_ptr take() noexcept {
    std::lock_guard const lock(mutex_);
    present_.store(false, std::memory_order_release);
    return std::exchange(failure_, nullptr);
  }

 private:
  std::mutex mutex_;
  std::atomic<bool> present_ = false;
  std::exception_ptr failure_;
  std::size_t worker_ = 0;
};

}  // namespace weir::inline v1
