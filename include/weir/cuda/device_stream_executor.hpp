#pragma once

#include <cuda_runtime_api.h>

#include <concepts>

#include "weir/cuda/device_guard.hpp"
#include "weir/exec/concepts.hpp"

namespace weir::inline v1 {

/// An executor whose stream is a CUDA stream, whoever wrote it.
template <class E>
concept DeviceStreamExecutor = Executor<E> && std::same_as<typename E::memory_space, DeviceSpace> &&
    std::same_as<typename E::stream_type, cudaStream_t>;

/// The device of an executor: what it says, or else the one that is current. Errors: `CudaError`.
template <DeviceStreamExecutor E>
int device_of(E const& executor) {
  if constexpr (requires {
                  { executor.device() } -> std::same_as<int>;
                }) {
    return executor.device();
  } else {
    return current_device();
  }
}

}  // namespace weir::inline v1
