#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>

#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {

namespace detail {
/// A callable of the kind that `submit` takes; only used to state the concept.
template <class E>
struct AnyTask {
  void operator()(E const&) const {}
};
}  // namespace detail

/// A handle of one stream: a sequence of operations that take effect in the order in which they were called.
///
/// Program order. An operation called on a handle is appended to the stream. `submit(f)` appends a call of
/// `f(point)`, where `point` is a handle that stands for this very place: what `f` calls on `point` takes
/// effect before everything appended later. A host stream runs `f` on its own thread when its turn comes; a
/// device stream runs `f` at once on the calling thread, because all that `f` does there is to append.
///
/// Events. An event is made once and recorded again and again, always by the same stream. `record` marks the
/// place where it is called; `wait` means the latest `record` CALLED before it, or nothing if there was none.
/// Calls of `record` and `wait` on one event must not race.
template <class E>
concept Executor = std::copyable<E> && std::movable<typename E::event_type> &&
    requires(E const executor, typename E::event_type const& event, detail::AnyTask<E> task, void* memory) {
  typename E::memory_space;
  typename E::stream_type;
  { executor.stream() } -> std::same_as<typename E::stream_type>;
  { executor.make_event() } -> std::same_as<typename E::event_type>;
  executor.submit(task);
  executor.record(event);
  executor.wait(event);         // later work waits, the caller does not
  executor.synchronize(event);  // the caller waits for the latest record
  executor.synchronize();       // the caller waits for everything appended so far
  { executor.fork() } -> std::same_as<E>;
  { executor.allocate(std::size_t{}) } -> std::same_as<void*>;
  requires noexcept(executor.deallocate(memory, std::size_t{}));
};

/// An executor whose submitted functions run in stream order and may touch the stream's memory.
template <class E>
concept HostOrderedExecutor = Executor<E> && std::same_as<typename E::memory_space, HostSpace>;

/// Where the executor can tell: refuses memory that its stream cannot work on. `name` says whose it is.
/// Errors: `ContractViolation`.
template <Executor E>
void check_memory(E const& executor, void const* memory, char const* name) {
  if constexpr (requires { executor.check_memory(memory, name); }) executor.check_memory(memory, name);
}

/// An executor whose operations may be recorded, to be replayed, instead of being run.
template <class E>
concept CapturableExecutor = Executor<E> && requires(E const executor) {
  { executor.is_capturing() } -> std::same_as<bool>;
};

/// Whether what is called on the executor is recorded instead of being run.
template <Executor E>
bool is_being_captured(E const& executor) {
  if constexpr (CapturableExecutor<E>) {
    return executor.is_capturing();
  } else {
    return false;
  }
}

}  // namespace weir::inline v1
