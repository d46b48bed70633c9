#pragma once

#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>

#include "weir/core/where.hpp"

namespace weir::inline v1 {

/// A CUDA call failed; the text names the call, CUDA's error and where it was called.
class CudaError : public std::runtime_error {
 public:
  CudaError(cudaError_t code, char const* call, Where where)
      : std::runtime_error(std::string(call) + ": " + cudaGetErrorName(code) + ", " +
                           cudaGetErrorString(code) + " (" + where.text() + ")"),
        code_(code) {}

  cudaError_t code() const { return code_; }

 private:
  cudaError_t code_;
};

/// Errors: `CudaError` unless `code` is success; an error that CUDA would report again is cleared.
inline void check_cuda(cudaError_t code, char const* call, Where where = Where::here()) {
  if (code == cudaSuccess) return;
  cudaGetLastError();
  throw CudaError(code, call, where);
}

}  // namespace weir::inline v1
