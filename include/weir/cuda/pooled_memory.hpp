#pragma once

#include "weir/core/error.hpp"
#include "weir/cuda/check.hpp"
#include "weir/cuda/memory_resource.hpp"

namespace weir::inline v1 {

/// Memory from cudaMallocAsync, in stream order, of the device's current memory pool or of one that the
/// caller owns.
class PooledMemory final : public CudaMemoryResource {
 public:
  PooledMemory() = default;
  explicit PooledMemory(cudaMemPool_t pool) : pool_(pool) {}

  /// Errors: `OutOfMemory`; `CudaError`.
  void* allocate(std::size_t bytes, cudaStream_t stream) override {
    void* memory = nullptr;
    cudaError_t const code = pool_ == nullptr ? cudaMallocAsync(&memory, bytes, stream)
                                              : cudaMallocFromPoolAsync(&memory, bytes, pool_, stream);
    if (code == cudaErrorMemoryAllocation) {
      cudaGetLastError();
      throw OutOfMemory(bytes, "cudaMallocAsync");
    }
    check_cuda(code, "cudaMallocAsync");
    return memory;
  }

  void deallocate(void* memory, std::size_t, cudaStream_t stream) noexcept override {
    cudaFreeAsync(memory, stream);
  }

 private:
  cudaMemPool_t pool_ = nullptr;
};

}  // namespace weir::inline v1
