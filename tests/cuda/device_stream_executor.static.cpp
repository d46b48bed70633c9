#include "weir/cuda/device_stream_executor.hpp"

#include "weir/cuda/executor.hpp"
#include "weir/host/executor.hpp"

namespace {

/// A user's own, which does not say its device.
struct Engine {
  using memory_space = weir::DeviceSpace;
  using stream_type = cudaStream_t;
  struct event_type {};
  cudaStream_t stream() const { return nullptr; }
  event_type make_event() const { return {}; }
  template <class Function>
  void submit(Function&& f) const {
    f(*this);
  }
  void record(event_type const&) const {}
  void wait(event_type const&) const {}
  void synchronize(event_type const&) const {}
  void synchronize() const {}
  Engine fork() const { return {}; }
  void* allocate(std::size_t) const { return nullptr; }
  void deallocate(void*, std::size_t) const noexcept {}
};

static_assert(weir::DeviceStreamExecutor<weir::CudaExecutor>);
static_assert(weir::DeviceStreamExecutor<Engine>);
static_assert(!weir::DeviceStreamExecutor<weir::HostExecutor>);
static_assert(std::same_as<decltype(weir::device_of(Engine())), int>);

}  // namespace
