#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/span_sink.hpp"
#include "weir/trace/merge_sort.hpp"

namespace weir::inline v1 {

/// Keeps the last spans that it was given, as many as was said at construction; older ones are overwritten.
///
/// Cost: all memory is taken at construction; recording copies a span under a lock.
/// Streams: every call may come from any thread at any time.
class Recorder final : public SpanSink {
 public:
  /// Errors: ContractViolation for a capacity of 0.
  explicit Recorder(std::size_t capacity) : ring_(capacity) {
    if (capacity == 0)
      throw ContractViolation("Recorder: the capacity is 0; it has to hold one span or more");
  }

  std::size_t capacity() const { return ring_.size(); }

  void record(Span const& span) noexcept override {
    Lock const lock{busy_};
    ring_[static_cast<std::size_t>(recorded_ % ring_.size())] = span;
    ++recorded_;
  }

  /// How many spans were overwritten before anyone could see them in a snapshot taken now.
  std::uint64_t dropped() const {
    Lock const lock{busy_};
    return recorded_ - held();
  }

  /// The spans held, by begin; of those that begin together the longer first.
  std::vector<Span> snapshot() const {
    std::vector<Span> spans;
    spans.reserve(ring_.size());  // before the lock, under which nothing may take long
    {
      Lock const lock{busy_};
      std::uint64_t const first = recorded_ - held();
      for (std::uint64_t i = first; i < recorded_; ++i) {
        spans.push_back(ring_[static_cast<std::size_t>(i % ring_.size())]);
      }
    }
    detail::merge_sort(spans, [](Span const& left, Span const& right) {
      return left.begin != right.begin ? left.begin < right.begin : left.end > right.end;
    });
    return spans;
  }

  /// Forgets everything.
  void clear() {
    Lock const lock{busy_};
    recorded_ = 0;
  }

 private:
  class Lock {
   public:
    explicit Lock(std::atomic_flag& flag) : flag_(flag) {
      while (flag_.test_and_set(std::memory_order_acquire)) flag_.wait(true, std::memory_order_relaxed);
    }
    ~Lock() {
      flag_.clear(std::memory_order_release);
      flag_.notify_one();
    }
    Lock(Lock const&) = delete;
    Lock& operator=(Lock const&) = delete;

   private:
    std::atomic_flag& flag_;
  };

  std::uint64_t held() const { return recorded_ < ring_.size() ? recorded_ : ring_.size(); }

  std::vector<Span> ring_;
  std::uint64_t recorded_ = 0;
  mutable std::atomic_flag busy_;
};

}  // namespace weir::inline v1
