#pragma once

#include <utility>

#include "weir/cuda/device_guard.hpp"

namespace weir::inline v1 {

/// A cudaEvent_t: our own, without timing, made once and recorded again and again; or one that the caller
/// owns.
///
/// Destroying it while it is pending is safe: CUDA keeps it until it has passed.
class CudaEvent {
 public:
  /// Errors: `CudaError`.
  explicit CudaEvent(int device) : is_owner_(true) {
    DeviceGuard const guard(device);
    check_cuda(cudaEventCreateWithFlags(&handle_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }

  /// A view of the caller's event.
  static CudaEvent borrow(cudaEvent_t handle) { return CudaEvent(handle); }

  CudaEvent(CudaEvent&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), is_owner_(std::exchange(other.is_owner_, false)) {}
  CudaEvent& operator=(CudaEvent other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(is_owner_, other.is_owner_);
    return *this;
  }

  ~CudaEvent() {
    if (is_owner_) cudaEventDestroy(handle_);
  }

  cudaEvent_t handle() const { return handle_; }

 private:
  explicit CudaEvent(cudaEvent_t handle) : handle_(handle) {}

  cudaEvent_t handle_ = nullptr;
  bool is_owner_ = false;
};

}  // namespace weir::inline v1
