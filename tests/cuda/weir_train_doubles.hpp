#pragma once

#include <cublas_v2.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../../examples/apps/weir_train/mlp_kernels.hpp"
#include "../../examples/apps/weir_train/mlp_math.hpp"
#include "support/cuda/stand_in.hpp"
#include "weir/cuda/check.hpp"

// What weir-train gets from mlp_kernels.cu and from cuBLAS, on the stand-in: each enqueues a loop that says
// what it reads and writes, but for the images, which nobody changes. For one unit of a program.

namespace weir_train {

void load_images(cudaStream_t stream, DeviceImages const& images, DeviceSamples const& samples, float* out) {
  std::size_t const size = images.pixels_each, count = samples.size();
  weir::check_cuda(
      stand_in::launch(stream, "load_images",
                       {stand_in::reads(samples.indices(), count), stand_in::writes(out, count * size)},
                       [=, indices = samples.indices()] {
                         for (std::size_t i = 0; i < count * size; ++i) {
                           std::size_t const from = indices[i / size] * size + i % size;
                           out[i] = static_cast<float>(images.pixels[from]) * images.scale;
                         }
                       }),
      "load_images");
}

void add_bias(cudaStream_t stream, Activation activation, float const* bias, std::size_t outputs,
              std::size_t samples, float* values) {
  std::size_t const count = outputs * samples;
  weir::check_cuda(stand_in::launch(stream, "add_bias",
                                    {stand_in::reads(bias, outputs), stand_in::reads(values, count),
                                     stand_in::writes(values, count)},
                                    [=] {
                                      for (std::size_t i = 0; i < count; ++i)
                                        values[i] = activate(activation, values[i] + bias[i % outputs]);
                                    }),
                   "add_bias");
}

void differentiate_bias(cudaStream_t stream, Activation activation, float const* out, std::size_t outputs,
                        std::size_t samples, bool accumulate, float* delta, float* gradient) {
  std::size_t const count = outputs * samples;
  std::vector<stand_in::Access> accesses{stand_in::reads(out, count), stand_in::reads(delta, count)};
  if (accumulate) accesses.push_back(stand_in::reads(gradient, outputs));
  accesses.push_back(stand_in::writes(delta, count));
  accesses.push_back(stand_in::writes(gradient, outputs));
  weir::check_cuda(stand_in::launch(stream, "differentiate_bias", accesses,
                                    [=] {
                                      for (std::size_t o = 0; o < outputs; ++o) {
                                        float sum = 0;
                                        for (std::size_t i = o; i < count; i += outputs)
                                          sum += delta[i] = differentiate(activation, out[i], delta[i]);
                                        gradient[o] = accumulate ? gradient[o] + sum : sum;
                                      }
                                    }),
                   "differentiate_bias");
}

void softmax_cross_entropy(cudaStream_t stream, DeviceImages const& images, DeviceSamples const& samples,
                           float const* logits, std::size_t classes, weir::LossFactor const& factor,
                           float* gradient, weir::LossSum* loss) {
  std::size_t const count = samples.size();
  weir::check_cuda(
      stand_in::launch(
          stream, "softmax_cross_entropy",
          {stand_in::reads(samples.indices(), count), stand_in::reads(logits, classes * count),
           stand_in::reads(loss), stand_in::writes(gradient, classes * count), stand_in::writes(loss)},
          [=, indices = samples.indices()] {
            float const per_sample = factor_per_sample(factor, count);
            for (std::size_t i = 0; i < count; ++i) {
              loss->sum += softmax_cross_entropy(logits + i * classes, classes, images.labels[indices[i]],
                                                 per_sample, gradient + i * classes);
            }
            loss->samples += count;
          }),
      "softmax_cross_entropy");
}

}  // namespace weir_train

/// What cuBLAS keeps behind a handle.
struct cublasContext {
  cudaStream_t stream = nullptr;
  std::byte* workspace = nullptr;  // of a fixed stream, the caller's
  std::size_t workspace_bytes = 0;
  cublasMath_t math = CUBLAS_DEFAULT_MATH;
};

extern "C" {

cublasStatus_t cublasCreate_v2(cublasHandle_t* handle) {
  *handle = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t math) {
  handle->math = math;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t, cublasAtomicsMode_t mode) {
  return mode == CUBLAS_ATOMICS_NOT_ALLOWED ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  handle->workspace = nullptr;
  return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, std::size_t bytes) {
  handle->workspace = static_cast<std::byte*>(workspace);
  handle->workspace_bytes = bytes;
  return CUBLAS_STATUS_SUCCESS;
}

char const* cublasGetStatusName(cublasStatus_t) {
  return "status";
}
char const* cublasGetStatusString(cublasStatus_t) {
  return "a failure";
}

/// Refuses what would not be bitwise repeatable, or not in float arithmetic.
cublasStatus_t cublasSgemm_v2_64(cublasHandle_t handle, cublasOperation_t left_operation,
                                 cublasOperation_t right_operation, std::int64_t rows, std::int64_t columns,
                                 std::int64_t inner, float const* factor, float const* left,
                                 std::int64_t left_rows, float const* right, std::int64_t right_rows,
                                 float const* before, float* out, std::int64_t out_rows) {
  if (handle->workspace == nullptr || handle->math != CUBLAS_PEDANTIC_MATH || *factor != 1.0f ||
      out_rows != rows) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  auto const size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
  bool const accumulate = *before != 0.0f;
  bool const turn_left = left_operation == CUBLAS_OP_T, turn_right = right_operation == CUBLAS_OP_T;
  std::vector<stand_in::Access> accesses{stand_in::reads(left, size(rows * inner)),
                                         stand_in::reads(right, size(inner * columns))};
  if (accumulate) accesses.push_back(stand_in::reads(out, size(rows * columns)));
  accesses.push_back(stand_in::writes(out, size(rows * columns)));
  accesses.push_back(stand_in::writes(handle->workspace, handle->workspace_bytes));
  cudaError_t const code = stand_in::launch(handle->stream, "cublasSgemm", accesses, [=] {
    for (std::int64_t column = 0; column < columns; ++column) {
      for (std::int64_t row = 0; row < rows; ++row) {
        float sum = 0;
        for (std::int64_t i = 0; i < inner; ++i) {
          sum += left[turn_left ? i + row * left_rows : row + i * left_rows] *
                 right[turn_right ? column + i * right_rows : i + column * right_rows];
        }
        float& element = out[row + column * out_rows];
        element = accumulate ? element + sum : sum;
      }
    }
  });
  return code == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}

}  // extern "C"
