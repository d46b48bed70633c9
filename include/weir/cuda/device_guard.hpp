#pragma once

#include "weir/cuda/check.hpp"

namespace weir::inline v1 {

/// Makes a device current, and the previous one again at the end of the scope.
class DeviceGuard {
 public:
  /// Errors: `CudaError`, where there is no driver or no such device.
  explicit DeviceGuard(int device) {
    check_cuda(cudaGetDevice(&previous_), "cudaGetDevice");
    if (previous_ == device) return;
    check_cuda(cudaSetDevice(device), "cudaSetDevice");
    changed_ = true;
  }

  DeviceGuard(DeviceGuard const&) = delete;
  DeviceGuard& operator=(DeviceGuard const&) = delete;

  ~DeviceGuard() {
    if (changed_) cudaSetDevice(previous_);
  }

 private:
  int previous_ = 0;
  bool changed_ = false;
};

/// The device that is current on this thread. Errors: `CudaError`, where there is no driver or no device.
inline int current_device() {
  int device = 0;
  check_cuda(cudaGetDevice(&device), "cudaGetDevice");
  return device;
}

}  // namespace weir::inline v1
