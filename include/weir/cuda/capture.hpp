#pragma once

#include <string>

#include "weir/core/error.hpp"
#include "weir/cuda/check.hpp"

namespace weir::inline v1 {

/// Something was called on a stream under capture that cannot be part of a CUDA graph.
class NotCapturable : public ContractViolation {
 public:
  using ContractViolation::ContractViolation;
};

/// Whether what is enqueued on a stream becomes part of a graph instead of running.
inline bool is_capturing(cudaStream_t stream) {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check_cuda(cudaStreamIsCapturing(stream, &status), "cudaStreamIsCapturing");
  return status != cudaStreamCaptureStatusNone;
}

/// Errors: `NotCapturable` while `stream` is captured; `call` is named in it.
inline void refuse_capture(cudaStream_t stream, char const* call) {
  if (!is_capturing(stream)) return;
  throw NotCapturable(std::string(call) +
                      " cannot be captured in a CUDA graph: call it before the capture or after it");
}

}  // namespace weir::inline v1
