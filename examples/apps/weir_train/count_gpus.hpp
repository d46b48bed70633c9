#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

#include "errors.hpp"

namespace weir_train {

/// Errors: `RunError` without a driver or a GPU.
inline std::size_t count_gpus() {
  int count = 0;
  cudaError_t const code = cudaGetDeviceCount(&count);
  if (code == cudaSuccess && count > 0) return static_cast<std::size_t>(count);
  cudaGetLastError();
  throw RunError(std::string("--device cuda: no GPU that CUDA can use was found (") +
                 cudaGetErrorString(code == cudaSuccess ? cudaErrorNoDevice : code) +
                 "); a machine with an NVIDIA GPU and its driver, or --device host, would be right");
}

}  // namespace weir_train
