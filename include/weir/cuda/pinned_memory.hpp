#pragma once

#include <cstddef>
#include <optional>

#include "weir/core/error.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/device_guard.hpp"
#include "weir/tensor/concepts.hpp"
#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {

/// Host memory that a device can copy to and from at full speed, and read and write itself.
/// A source for `Buffer`: `Buffer<float, PinnedMemory>(PinnedMemory{}, size)`.
class PinnedMemory {
 public:
  using memory_space = HostSpace;

  /// Taken with the device that is current.
  PinnedMemory() = default;
  explicit PinnedMemory(int device) : device_(device) {}

  /// Errors: `OutOfMemory`; `CudaError`.
  void* allocate(std::size_t bytes) const {
    if (bytes == 0) return nullptr;
    std::optional<DeviceGuard> guard;
    if (device_) guard.emplace(*device_);
    void* memory = nullptr;
    cudaError_t const code = cudaHostAlloc(&memory, bytes, cudaHostAllocPortable | cudaHostAllocMapped);
    if (code == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw OutOfMemory(bytes, "cudaHostAlloc");
    }
    check_cuda(code, "cudaHostAlloc");
    return memory;
  }

  void deallocate(void* memory, std::size_t) const noexcept {
    if (memory != nullptr) cudaFreeHost(memory);
  }

 private:
  std::optional<int> device_;
};

static_assert(MemorySource<PinnedMemory>);

}  // namespace weir::inline v1
