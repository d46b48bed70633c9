#pragma once

#include <cstddef>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

#include "weir/core/clock.hpp"
#include "weir/exec/concepts.hpp"

namespace weir::inline v1::detail {

struct NoScope {};

/// Makes the device of an executor current, where it can be told, until the result is destroyed.
template <Executor E>
auto device_scope(E const& executor) {
  if constexpr (requires { executor.make_current(); }) {
    return executor.make_current();
  } else {
    return NoScope{};
  }
}

/// The streams of those of a pipeline's workers that are in this process.
template <Executor E>
class PipelineWorkers {
 public:
  struct Worker {
    std::uint32_t index;
    typename E::event_type end;  // of a run; on a device
    E executor;
  };
  struct LooksAtNothing {
    void operator()() const {}
  };

  explicit PipelineWorkers(E const& home) : passed_(home.make_event()) {}

  void add(std::uint32_t index, E const& device) {
    workers_.push_back({index, device.make_event(), device.fork()});
  }

  std::size_t size() const { return workers_.size(); }
  auto begin() const { return workers_.begin(); }
  auto end() const { return workers_.end(); }

  /// Null: it is elsewhere.
  E const* find(std::uint32_t worker) const {
    for (Worker const& each : workers_) {
      if (each.index == worker) return &each.executor;
    }
    return nullptr;
  }

  /// Blocks until `home` and all workers have come to an end, however. On a device it calls `look()` again
  /// and again meanwhile: what waits there for another process does not end by itself, and who looks ends it.
  template <class Look = LooksAtNothing>
  void finish(E const& home, Look const& look = {}) noexcept {
    if constexpr (!HostOrderedExecutor<E>) {
      try {
        if constexpr (!std::is_same_v<Look, LooksAtNothing> && requires { home.reached(passed_); }) {
          if (!is_being_captured(home)) watch(home, look);
        }
        home.synchronize();  // where replays of captured runs are
      } catch (...) {
      }
    }
    for (Worker const& worker : workers_) {
      try {
        worker.executor.synchronize();
      } catch (...) {  // the workers' tasks keep what they threw elsewhere
      }
    }
  }

 private:
  template <class Look>
  void watch(E const& home, Look const& look) {
    home.record(passed_);
    while (!home.reached(passed_)) {
      look();
      std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
  }

  typename E::event_type passed_;
  std::vector<Worker> workers_;
};

}  // namespace weir::inline v1::detail
