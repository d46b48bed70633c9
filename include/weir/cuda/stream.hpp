#pragma once

#include <utility>

#include "weir/cuda/device_guard.hpp"

namespace weir::inline v1 {

/// Owns a cudaStream_t that does not synchronise with the legacy default stream.
///
/// Destroying it while work is pending is safe: CUDA lets the work end first.
class CudaStream {
 public:
  /// A lower `priority` is more urgent; 0 is the default. Errors: `CudaError`.
  explicit CudaStream(int device, int priority = 0) {
    DeviceGuard const guard(device);
    check_cuda(cudaStreamCreateWithPriority(&handle_, cudaStreamNonBlocking, priority),
               "cudaStreamCreateWithPriority");
  }

  CudaStream(CudaStream&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  CudaStream& operator=(CudaStream other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }

  ~CudaStream() {
    if (handle_ != nullptr) cudaStreamDestroy(handle_);
  }

  cudaStream_t handle() const { return handle_; }

 private:
  cudaStream_t handle_ = nullptr;
};

}  // namespace weir::inline v1
