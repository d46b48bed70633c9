#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "weir/core/error.hpp"
#include "weir/cuda/capture.hpp"
#include "weir/cuda/device_guard.hpp"
#include "weir/cuda/device_memory.hpp"
#include "weir/cuda/event.hpp"
#include "weir/cuda/pinned_memory.hpp"
#include "weir/cuda/scratch.hpp"
#include "weir/cuda/stream.hpp"
#include "weir/exec/concepts.hpp"
#include "weir/exec/task_thread.hpp"

namespace weir::inline v1 {

struct CudaOptions {
  std::optional<int> device = std::nullopt;  // none: the one that is current
  CudaMemoryResource* memory = nullptr;      // outlives the executor; null: cudaMalloc
  bool launch_thread = false;                // of its own for each stream, for models bound by launches
};

/// A CUDA stream, the caller's or one of our own.
///
/// Streams: a copy names the same stream; a fork is a new stream of the same device, with the same options.
/// `submit(f)` calls `f` at once on the calling thread, because what `f` does is to enqueue. With a launch
/// thread `f` is called there, so that k workers enqueue at the same time; every other operation first waits
/// until what was submitted has been enqueued (not until it has run). Everything can be captured but
/// `synchronize`, `fork`, `allocate` and `deallocate`, and verbs that read or write host memory.
/// Cost: one CUDA call an operation.
/// Errors: `CudaError`; `NotCapturable` from `synchronize` and `allocate`; `ContractViolation` from the
/// constructor for a stream of another device.
class CudaExecutor {
 public:
  using memory_space = DeviceSpace;
  using stream_type = cudaStream_t;
  using event_type = CudaEvent;

  /// Makes a stream, which lives as long as the last copy.
  explicit CudaExecutor(CudaOptions options = {}) : CudaExecutor(std::make_shared<Stream>(options)) {}

  /// Borrows a stream.
  explicit CudaExecutor(cudaStream_t stream, CudaOptions options = {})
      : CudaExecutor(std::make_shared<Stream>(options, stream)) {}

  int device() const { return stream_->device; }
  CudaMemoryResource& memory() const { return *stream_->memory; }
  PinnedMemory host_memory() const { return PinnedMemory(device()); }

  /// Makes the device current, for launches on `stream()`, until the result is destroyed.
  [[nodiscard]] DeviceGuard make_current() const { return DeviceGuard(device()); }

  /// For the kernels of this stream.
  CudaScratch const& scratch() const { return *stream_->scratch; }

  /// The stream, after everything that was submitted.
  cudaStream_t stream() const {
    settle();
    return stream_->handle;
  }

  CudaEvent make_event() const { return CudaEvent(device()); }
  CudaExecutor fork() const { return CudaExecutor(stream_->options()); }
  bool is_capturing() const { return v1::is_capturing(stream()); }

  /// Calls `f()` or `f(point)`.
  template <class Function>
  void submit(Function&& f) const {
    if (thread_ != nullptr) {
      thread_->ring().push(std::forward<Function>(f));
      return;
    }
    DeviceGuard const guard(device());
    if constexpr (std::is_invocable_v<Function&>) {
      f();
    } else {
      f(*this);
    }
  }

  void record(CudaEvent const& event) const {
    DeviceGuard const guard(device());
    check_cuda(cudaEventRecord(event.handle(), stream()), "cudaEventRecord");
  }

  void wait(CudaEvent const& event) const {
    DeviceGuard const guard(device());
    check_cuda(cudaStreamWaitEvent(stream(), event.handle(), 0), "cudaStreamWaitEvent");
  }

  void synchronize(CudaEvent const& event) const {
    refuse_capture(stream(), "synchronize");
    DeviceGuard const guard(device());
    check_cuda(cudaEventSynchronize(event.handle()), "cudaEventSynchronize");
  }

  /// Errors: also rethrows, once, the first exception of a function submitted to a launch thread.
  void synchronize() const {
    refuse_capture(stream(), "synchronize");
    DeviceGuard const guard(device());
    check_cuda(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
    if (thread_ != nullptr) thread_->ring().drain();
  }

  /// Whether what the latest record marked has been reached.
  bool reached(CudaEvent const& event) const {
    DeviceGuard const guard(device());
    cudaError_t const code = cudaEventQuery(event.handle());
    if (code != cudaErrorNotReady) {
      check_cuda(code, "cudaEventQuery");
    } else {
      cudaGetLastError();  // CUDA would report it as an error again
    }
    return code == cudaSuccess;
  }

  /// Errors: `ContractViolation` for memory that is not of this device; `name` says whose it is.
  void check_memory(void const* memory, char const* name) const {
    if (memory == nullptr) return;
    DeviceGuard const guard(device());
    cudaPointerAttributes attributes = {};
    check_cuda(cudaPointerGetAttributes(&attributes, memory), "cudaPointerGetAttributes");
    if (attributes.type == cudaMemoryTypeManaged) return;
    if (attributes.type != cudaMemoryTypeDevice) {
      throw ContractViolation(std::string(name) + " lie in host memory, but the executor is of device " +
                              std::to_string(device()) + ": memory of that device is needed");
    }
    if (attributes.device != device()) {
      throw ContractViolation(std::string(name) + " lie in memory of device " +
                              std::to_string(attributes.device) + ", but the executor is of device " +
                              std::to_string(device()));
    }
  }

  /// Errors: `OutOfMemory`.
  void* allocate(std::size_t bytes) const {
    if (bytes == 0) return nullptr;
    refuse_capture(stream(), "allocating memory");
    DeviceGuard const guard(device());
    return memory().allocate(bytes, stream());
  }

  void deallocate(void* memory, std::size_t bytes) const noexcept {
    if (memory == nullptr) return;
    try {
      DeviceGuard const guard(device());
      this->memory().deallocate(memory, bytes, stream());
    } catch (CudaError const&) {  // the driver is gone, and the memory with it
    }
  }

 private:
  struct Stream {
    explicit Stream(CudaOptions const& options)
        : device(options.device ? *options.device : current_device()),
          owned(CudaStream(device)),
          handle(owned->handle()),
          memory(options.memory != nullptr ? options.memory : &default_memory),
          has_thread(options.launch_thread) {
      scratch.emplace(device, *memory, handle);
    }

    Stream(CudaOptions const& options, cudaStream_t borrowed)
        : device(options.device ? *options.device : current_device()),
          handle(borrowed),
          memory(options.memory != nullptr ? options.memory : &default_memory),
          has_thread(options.launch_thread) {
      check_device();
      scratch.emplace(device, *memory, handle);
    }

    /// What a fork is made with.
    CudaOptions options() const { return {device, memory == &default_memory ? nullptr : memory, has_thread}; }

    /// An event can only be recorded by a stream of its own device.
    void check_device() const {
#if CUDART_VERSION >= 12080
      DeviceGuard const guard(device);
      int of_stream = device;
      check_cuda(cudaStreamGetDevice(handle, &of_stream), "cudaStreamGetDevice");
      if (of_stream != device) {
        throw ContractViolation("CudaExecutor: the stream belongs to device " + std::to_string(of_stream) +
                                ", the executor to device " + std::to_string(device));
      }
#endif
    }

    int device;
    std::optional<CudaStream> owned;
    cudaStream_t handle;
    DeviceMemory default_memory;
    CudaMemoryResource* memory;
    bool has_thread;
    std::optional<CudaScratch> scratch;  // always there; the last member, since it uses the others
  };
  using LaunchThread = TaskThread<CudaExecutor>;

  explicit CudaExecutor(std::shared_ptr<Stream> stream) : stream_(std::move(stream)) {
    if (!stream_->has_thread) return;
    thread_ = std::make_shared<LaunchThread>([this](LaunchThread*) {
      CudaExecutor point(*this);  // without the thread, or that would keep itself alive
      return point;
    });
  }

  void settle() const {
    if (thread_ != nullptr) thread_->ring().settle();
  }

  std::shared_ptr<Stream> stream_;
  std::shared_ptr<LaunchThread> thread_;  // none in the handle that a submitted function receives
};

static_assert(Executor<CudaExecutor>);

}  // namespace weir::inline v1

// A concept keeps its first answer, so whoever sees the executor sees its verbs.
#include "weir/cuda/vocabulary.hpp"
