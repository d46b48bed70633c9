#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

namespace weir::inline v1 {

/// Where a `CudaExecutor` takes device memory from: derive from it to give weir memory of your own.
///
/// Called while binding and unbinding, never in a step. The executor's device is current.
class CudaMemoryResource {
 public:
  virtual ~CudaMemoryResource() = default;

  /// At least `bytes` (not 0) bytes, aligned to 256, that work enqueued on `stream` may use. A failure is an
  /// exception, best `OutOfMemory`.
  virtual void* allocate(std::size_t bytes, cudaStream_t stream) = 0;

  /// Takes back what `allocate` gave for the same size. Work enqueued on `stream` before may still use it.
  virtual void deallocate(void* memory, std::size_t bytes, cudaStream_t stream) noexcept = 0;
};

}  // namespace weir::inline v1
