#pragma once

#include "weir/core/error.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/memory_resource.hpp"

namespace weir::inline v1 {

/// Memory from cudaMalloc: what a `CudaExecutor` uses unless it is told otherwise.
///
/// Cost: giving it back waits for the device.
class DeviceMemory final : public CudaMemoryResource {
 public:
  /// Errors: `OutOfMemory`; `CudaError`.
  void* allocate(std::size_t bytes, cudaStream_t) override {
    void* memory = nullptr;
    cudaError_t const code = cudaMalloc(&memory, bytes);
    if (code == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw OutOfMemory(bytes, "cudaMalloc");
    }
    check_cuda(code, "cudaMalloc");
    return memory;
  }

  void deallocate(void* memory, std::size_t, cudaStream_t) noexcept override { cudaFree(memory); }
};

}  // namespace weir::inline v1
