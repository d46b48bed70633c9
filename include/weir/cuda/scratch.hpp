#pragma once

#include <cstddef>

#include "weir/cuda/capture.hpp"
#include "weir/cuda/device_guard.hpp"
#include "weir/cuda/memory_resource.hpp"

namespace weir::inline v1 {

/// A little device memory that the kernels of one stream share, one after another, for partial results.
class CudaScratch {
 public:
  static constexpr std::size_t bytes = std::size_t{64} << 10;

  /// Takes it from `memory`, which lives longer. Errors: `OutOfMemory`; `NotCapturable` if the stream is
  /// captured.
  CudaScratch(int device, CudaMemoryResource& memory, cudaStream_t stream)
      : device_(device), resource_(&memory), stream_(stream) {
    DeviceGuard const guard(device_);
    refuse_capture(stream_, "making a CudaExecutor");
    memory_ = resource_->allocate(size, stream_);
    try {
      check_cuda(cudaMemsetAsync(counter(), 0, size - bytes, stream_), "cudaMemsetAsync");
    } catch (...) {
      resource_->deallocate(memory_, size, stream_);
      throw;
    }
  }

  CudaScratch(CudaScratch const&) = delete;
  CudaScratch& operator=(CudaScratch const&) = delete;

  ~CudaScratch() {
    try {
      DeviceGuard const guard(device_);
      resource_->deallocate(memory_, size, stream_);
    } catch (CudaError const&) {  // the driver is gone, and the memory with it
    }
  }

  /// `bytes` bytes, aligned to 256, in which nothing lasts from kernel to kernel.
  void* memory() const { return memory_; }

  /// Is 0 before and after each kernel.
  unsigned* counter() const { return reinterpret_cast<unsigned*>(static_cast<std::byte*>(memory_) + bytes); }

 private:
  static constexpr std::size_t size = bytes + 256;

  int device_;
  CudaMemoryResource* resource_;
  cudaStream_t stream_;
  void* memory_ = nullptr;
};

}  // namespace weir::inline v1
