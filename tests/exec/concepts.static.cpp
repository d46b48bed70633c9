#include "weir/exec/concepts.hpp"

#include <cstddef>

namespace {

struct Stream {
  using memory_space = weir::DeviceSpace;
  using stream_type = int;
  using event_type = int;

  int stream() const;
  int make_event() const;
  template <class Function>
  void submit(Function function) const;
  void record(int const&) const;
  void wait(int const&) const;
  void synchronize(int const&) const;
  void synchronize() const;
  Stream fork() const;
  void* allocate(std::size_t) const;
  void deallocate(void*, std::size_t) const noexcept;
};

struct HostStream : Stream {
  using memory_space = weir::HostSpace;
  HostStream fork() const;
};

struct WithoutFork : Stream {};  // its fork gives a Stream, not its like

struct MoveOnly : HostStream {
  MoveOnly(MoveOnly&&) = default;
  MoveOnly& operator=(MoveOnly&&) = default;
  MoveOnly fork() const;
};

}  // namespace

static_assert(weir::Executor<Stream> && !weir::HostOrderedExecutor<Stream>);
static_assert(weir::Executor<HostStream> && weir::HostOrderedExecutor<HostStream>);
static_assert(!weir::Executor<WithoutFork>);
static_assert(!weir::Executor<MoveOnly>, "an executor is a handle, which is copied");
static_assert(!weir::Executor<int>);
