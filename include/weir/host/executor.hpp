#pragma once

#include <cstddef>
#include <memory>
#include <memory_resource>
#include <new>
#include <type_traits>
#include <utility>

#include "weir/core/error.hpp"
#include "weir/exec/concepts.hpp"
#include "weir/exec/task_thread.hpp"
#include "weir/host/event.hpp"
#include "weir/host/thread_team.hpp"

namespace weir::inline v1 {

struct HostOptions {
  std::size_t threads = 1;  // that share the loops over large views, the stream's included
  std::pmr::memory_resource* memory = nullptr;  // outlives the executor; null: operator new
};

/// A stream on the CPU: `record` and `wait` mean here what they mean on a GPU.
///
/// Streams: a copy names the same stream, a fork shares the team of threads and the memory resource. The
/// handle that a submitted function receives is of the same type but immediate: what is called on it happens
/// there and then, on the thread that calls. Cost: an operation takes one slot of a fixed ring and allocates
/// nothing.
class HostExecutor {
 public:
  using memory_space = HostSpace;
  using stream_type = void const*;
  using event_type = HostEvent;

  /// Starts the stream's thread, which ends with the last copy.
  explicit HostExecutor(HostOptions options = {}) : HostExecutor(std::make_shared<Resources>(options)) {}

  stream_type stream() const { return identity_; }
  event_type make_event() const { return {}; }
  HostExecutor fork() const { return HostExecutor(resources_); }

  /// The threads that share the loops of verbs.
  ThreadTeam& team() const { return resources_->team; }

  /// Calls `f()` or `f(point)` when its turn comes. May block while the ring is full.
  template <class Function>
  void submit(Function&& f) const {
    if (stream_ != nullptr) {
      stream_->ring().push(std::forward<Function>(f));
    } else if constexpr (std::is_invocable_v<Function&>) {
      f();
    } else {
      f(*this);
    }
  }

  void record(HostEvent const& event) const {
    auto const generation = event.announce(stream());
    submit([event, generation] { event.reach(generation); });
  }

  void wait(HostEvent const& event) const {
    auto const generation = event.announced();
    if (event.reached(generation)) return;
    submit([event, generation] { event.wait_until_reached(generation); });
  }

  void synchronize(HostEvent const& event) const { event.wait_until_reached(event.announced()); }

  /// Errors: rethrows, once, the first exception of a submitted function.
  void synchronize() const {
    if (stream_ != nullptr) stream_->ring().drain();
  }

  /// Errors: `OutOfMemory`.
  void* allocate(std::size_t bytes) const {
    try {
      return resources_->memory->allocate(bytes, alignment);
    } catch (std::bad_alloc const&) {
      throw OutOfMemory(bytes);
    }
  }

  void deallocate(void* memory, std::size_t bytes) const noexcept {
    if (memory != nullptr) resources_->memory->deallocate(memory, bytes, alignment);
  }

 private:
  static constexpr std::size_t alignment = 64;

  struct Resources {
    explicit Resources(HostOptions const& options)
        : memory(options.memory != nullptr ? options.memory : std::pmr::new_delete_resource()),
          team(options.threads) {}

    std::pmr::memory_resource* memory;
    ThreadTeam team;
  };
  using Stream = TaskThread<HostExecutor>;

  explicit HostExecutor(std::shared_ptr<Resources> resources)
      : resources_(std::move(resources)),
        stream_(std::make_shared<Stream>([this](Stream* stream) { return HostExecutor(*this, stream); })),
        identity_(stream_.get()) {}

  /// The immediate handle. It does not own the stream, or the thread would keep itself alive.
  HostExecutor(HostExecutor const& other, stream_type identity)
      : resources_(other.resources_), identity_(identity) {}

  std::shared_ptr<Resources> resources_;
  std::shared_ptr<Stream> stream_;  // none in the immediate handle
  stream_type identity_;
};

static_assert(HostOrderedExecutor<HostExecutor>);

}  // namespace weir::inline v1

// A concept keeps its first answer, so whoever sees the executor sees its verbs.
#include "weir/host/vocabulary.hpp"
