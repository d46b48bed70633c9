#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "weir/exec/concepts.hpp"
#include "weir/tensor/concepts.hpp"

namespace weir::inline v1 {

/// A host stream that runs everything at once on the calling thread: for whoever has one already.
template <MemorySource Source>
class ImmediateExecutor {
 public:
  using memory_space = HostSpace;
  using stream_type = std::nullptr_t;
  struct event_type {};

  explicit ImmediateExecutor(Source source = Source()) : source_(std::move(source)) {}

  /// Calls `f()` or `f(point)`. Errors: what it throws.
  template <class Function>
  void submit(Function&& f) const {
    if constexpr (std::is_invocable_v<Function&>) {
      f();
    } else {
      f(*this);
    }
  }

  stream_type stream() const { return nullptr; }
  event_type make_event() const { return {}; }
  void record(event_type const&) const {}
  void wait(event_type const&) const {}
  void synchronize(event_type const&) const {}
  void synchronize() const {}
  ImmediateExecutor fork() const { return *this; }
  void* allocate(std::size_t bytes) const { return source_.allocate(bytes); }
  void deallocate(void* memory, std::size_t bytes) const noexcept { source_.deallocate(memory, bytes); }

 private:
  Source source_;
};

}  // namespace weir::inline v1
