#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "weir/exec/concepts.hpp"

/// A stream of a device that only writes down which events it records and waits for: "r0 w0 ".
struct LoggingExecutor {
  using memory_space = weir::DeviceSpace;
  using stream_type = int;
  struct event_type {
    explicit event_type(int given) : number(given) {}
    event_type(event_type&&) = default;
    event_type& operator=(event_type&&) = default;

    int number;
  };
  struct Log {
    int events = 0;
    std::string text = {};
  };

  void submit(auto&& f) const { f(*this); }
  stream_type stream() const { return 0; }
  event_type make_event() const { return event_type(log->events++); }
  void record(event_type const& event) const { log->text += "r" + std::to_string(event.number) + ' '; }
  void wait(event_type const& event) const { log->text += "w" + std::to_string(event.number) + ' '; }
  void synchronize(event_type const&) const {}
  void synchronize() const {}
  LoggingExecutor fork() const { return {}; }
  void* allocate(std::size_t bytes) const { return ::operator new(bytes); }
  void deallocate(void* memory, std::size_t) const noexcept { ::operator delete(memory); }

  std::string taken() const { return std::exchange(log->text, {}); }

  std::shared_ptr<Log> log = std::make_shared<Log>();
};
static_assert(weir::Executor<LoggingExecutor>);
