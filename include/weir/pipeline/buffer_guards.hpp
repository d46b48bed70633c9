#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/comm/message_pool.hpp"
#include "weir/comm/pipeline_message.hpp"
#include "weir/exec/concepts.hpp"

namespace weir::inline v1::detail {

/// Keeps the buffers of messages from being written while other streams still read them: who takes a buffer
/// waits for who gave it back. What was given back in an earlier run is not waited for: all streams begin a
/// run behind the one before, and an event of a captured run tells nothing.
template <Executor E>
class BufferGuards {
 public:
  /// `executor_of(buffer)` is on the device on which a buffer lies, and is given back.
  template <class ExecutorOf>
  void make(std::size_t buffers, ExecutorOf const& executor_of) {
    while (guards_.size() < buffers) guards_.push_back({executor_of(guards_.size()).make_event()});
  }

  void begin(std::uint32_t run) { run_ = run; }

  void give_back(PipelineMessage const& message, std::size_t worker, E const& executor) {
    Guard& guard = guards_[message.home->number_of(message.data)];
    executor.record(guard.is_free);
    guard.run = run_;
    guard.worker = worker;
  }

  void take(PipelineMessage const& message, std::size_t worker, E const& executor) {
    Guard const& guard = guards_[message.home->number_of(message.data)];
    if (guard.run == run_ && guard.worker != worker) executor.wait(guard.is_free);
  }

 private:
  struct Guard {
    typename E::event_type is_free;
    std::uint32_t run = UINT32_MAX;
    std::size_t worker = 0;  // whose stream recorded it, or another stream's number
  };

  std::vector<Guard> guards_;  // by the buffer's number
  std::uint32_t run_ = 0;
};

/// On threads, a buffer is given back when it is not read any more.
template <HostOrderedExecutor E>
class BufferGuards<E> {
 public:
  void make(std::size_t, auto const&) {}
  void begin(std::uint32_t) {}
  void give_back(PipelineMessage const&, std::size_t, E const&) {}
  void take(PipelineMessage const&, std::size_t, E const&) {}
};

}  // namespace weir::inline v1::detail
