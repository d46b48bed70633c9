#pragma once

#include <cublas_v2.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "weir/cuda/executor.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir_train {

/// Errors: `std::runtime_error` unless `status` is success.
inline void check_cublas(cublasStatus_t status, char const* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw std::runtime_error(std::string(call) + ": " + cublasGetStatusName(status) + ", " +
                           cublasGetStatusString(status));
}

/// A matrix of columns that lie in one piece each, in device memory, as a factor of a product.
struct Factor {
  float const* data = nullptr;
  std::size_t rows = 0;  // as it lies in memory
  bool is_transposed = false;

  Factor transposed() const { return {data, rows, !is_transposed}; }
};

/// Products of matrices in float arithmetic, on one stream. The same product gives the same bits each time
/// and can be captured, because the handle and its workspace serve this stream only.
class Cublas {
 public:
  explicit Cublas(weir::CudaExecutor const& memory) : workspace_(memory, workspace_bytes) {
    weir::DeviceGuard const guard(memory.device());
    check_cublas(cublasCreate(&handle_), "cublasCreate");
    try {
      check_cublas(cublasSetMathMode(handle_, CUBLAS_PEDANTIC_MATH), "cublasSetMathMode");
      check_cublas(cublasSetAtomicsMode(handle_, CUBLAS_ATOMICS_NOT_ALLOWED), "cublasSetAtomicsMode");
    } catch (...) {
      cublasDestroy(handle_);
      throw;
    }
  }

  Cublas(Cublas&& other) noexcept
      : workspace_(std::move(other.workspace_)),
        handle_(std::exchange(other.handle_, nullptr)),
        stream_(other.stream_) {}
  Cublas& operator=(Cublas&&) = delete;

  ~Cublas() {
    if (handle_ != nullptr) cublasDestroy(handle_);
  }

  /// What follows is enqueued on this stream.
  void use(cudaStream_t stream) {
    if (stream == stream_) return;
    check_cublas(cublasSetStream(handle_, stream), "cublasSetStream");
    // Only now: a new stream puts cuBLAS's own workspace back.
    check_cublas(cublasSetWorkspace(handle_, workspace_.data(), workspace_.size()), "cublasSetWorkspace");
    stream_ = stream;
  }

  /// `out = left * right`, or added to `out`, which has `rows` rows and `columns` columns; `inner` is what
  /// left has columns and right has rows.
  void multiply(Factor const& left, Factor const& right, std::size_t rows, std::size_t columns,
                std::size_t inner, bool accumulate, float* out) const {
    float const one = 1.0f;
    float const before = accumulate ? 1.0f : 0.0f;
    auto const operation = [](Factor const& factor) {
      return factor.is_transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
    };
    auto const size = [](std::size_t value) { return static_cast<std::int64_t>(value); };
    check_cublas(cublasSgemm_64(handle_, operation(left), operation(right), size(rows), size(columns),
                                size(inner), &one, left.data, size(left.rows), right.data, size(right.rows),
                                &before, out, size(rows)),
                 "cublasSgemm");
  }

 private:
  /// What NVIDIA recommends for Hopper; older GPUs need less.
  static constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

  weir::Buffer<std::byte, weir::CudaExecutor> workspace_;
  cublasHandle_t handle_ = nullptr;
  cudaStream_t stream_ = nullptr;
};

}  // namespace weir_train
