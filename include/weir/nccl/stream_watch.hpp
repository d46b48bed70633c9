#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "weir/comm/fingerprint.hpp"
#include "weir/core/clock.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/event.hpp"

namespace weir::inline v1::detail {

/// Lets this thread ask about events while a stream is captured, also where the capture forbids it to others.
class CaptureTolerance {
 public:
  CaptureTolerance() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  CaptureTolerance(CaptureTolerance const&) = delete;
  CaptureTolerance& operator=(CaptureTolerance const&) = delete;
  ~CaptureTolerance() { cudaThreadExchangeStreamCaptureMode(&mode_); }

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

/// Where the enqueued operations of a communicator stand, so that one that never ends is found out: an event
/// before and one after each, in a ring.
///
/// An operation that finds the ring full is watched together with the latest one. One thread at a time.
class StreamWatch {
 public:
  using Clock = std::chrono::steady_clock;

  enum class State : std::uint8_t { idle, busy, overdue };

  explicit StreamWatch(int device, std::size_t capacity = 128) {
    entries_.reserve(capacity);
    for (std::size_t i = 0; i < capacity; ++i) entries_.emplace_back(device);
  }

  /// The next thing enqueued on `stream` is `operation`.
  void begin(cudaStream_t stream, Fingerprint const& operation) {
    if (count_ == entries_.size()) retire();
    if (count_ < entries_.size()) {
      Entry& entry = entries_[(oldest_ + count_) % entries_.size()];
      check_cuda(cudaEventRecord(entry.before.handle(), stream), "cudaEventRecord");
      entry.operation = operation;
      entry.operations = 0;
      entry.has_started = false;
      ++count_;
    }
    Entry& latest = newest();
    latest.is_open = true;
    ++latest.operations;
  }

  /// It has been enqueued.
  void end(cudaStream_t stream) {
    check_cuda(cudaEventRecord(newest().after.handle(), stream), "cudaEventRecord");
    newest().is_open = false;
  }

  /// `overdue` if the oldest operation was seen to have begun at least `deadline` ago and has not ended.
  State look(Clock::time_point now, std::chrono::milliseconds deadline) {
    retire();
    if (count_ == 0) return State::idle;
    Entry& entry = entries_[oldest_];
    if (!entry.has_started && !has_passed(entry.before)) return State::busy;
    if (!entry.has_started) entry.started_at = now;
    entry.has_started = true;
    return (now - entry.started_at) / entry.operations >= deadline ? State::overdue : State::busy;
  }

  /// The oldest that had not ended at the last `look`; none if it has said `idle`.
  std::optional<Fingerprint> oldest() const {
    if (count_ == 0) return {};
    return entries_[oldest_].operation;
  }

 private:
  struct Entry {
    explicit Entry(int device) : before(device), after(device) {}

    CudaEvent before;
    CudaEvent after;
    Fingerprint operation;  // the first of `operations`
    int operations = 0;
    bool is_open = false;  // not enqueued yet
    bool has_started = false;
    Clock::time_point started_at;
  };

  static bool has_passed(CudaEvent const& event) {
    cudaError_t const code = cudaEventQuery(event.handle());
    if (code == cudaErrorNotReady) {
      cudaGetLastError();  // or CUDA would report it again
      return false;
    }
    check_cuda(code, "cudaEventQuery");
    return true;
  }

  Entry& newest() { return entries_[(oldest_ + count_ - 1) % entries_.size()]; }

  void retire() {
    while (count_ > 0 && !entries_[oldest_].is_open && has_passed(entries_[oldest_].after)) {
      oldest_ = (oldest_ + 1) % entries_.size();
      --count_;
    }
  }

  std::vector<Entry> entries_;
  std::size_t oldest_ = 0;
  std::size_t count_ = 0;
};

}  // namespace weir::inline v1::detail
