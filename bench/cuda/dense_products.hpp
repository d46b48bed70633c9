#pragma once

#include <cublas_v2.h>

#include <cstddef>
#include <stdexcept>

#include "cuda/product.hpp"
#include "cuda/rotating.hpp"

namespace bench {

inline void check_cublas(cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) throw std::runtime_error(cublasGetStatusString(status));
}

/// The dense products: X and Y lie sample by sample, W row by row. float without TF32.
template <class Element>
class DenseProducts {
 public:
  DenseProducts(weir::CudaExecutor const& executor, std::size_t outputs, std::size_t inputs)
      : outputs_(static_cast<int>(outputs)),
        inputs_(static_cast<int>(inputs)),
        weights_(executor, outputs * inputs, 3),
        gradient_(executor, outputs * inputs, 6) {
    check_cublas(cublasCreate(&handle_));
    check_cublas(cublasSetStream(handle_, executor.stream()));
  }
  DenseProducts(DenseProducts const&) = delete;
  ~DenseProducts() { cublasDestroy(handle_); }

  /// x has the inputs of the samples, y the outputs: which of them is written depends on the product.
  void multiply(Product product, Element* x, Element* y, std::size_t samples, std::size_t turn) const {
    int const n = static_cast<int>(samples);
    struct Matrix {
      void* data;
      int line;
    };
    auto const run = [&](cublasOperation_t left, cublasOperation_t right, int rows, int columns, int depth,
                         Matrix a, Matrix b, Matrix c, cudaDataType_t of_c) {
      float const one = 1, zero = 0;
      auto const type = type_of<Element>;
      check_cublas(cublasGemmEx(handle_, left, right, rows, columns, depth, &one, a.data, type, a.line,
                                b.data, type, b.line, &zero, c.data, of_c, c.line, CUBLAS_COMPUTE_32F,
                                CUBLAS_GEMM_DEFAULT));
    };
    Matrix const weights{weights_.at(turn), inputs_}, gradient{gradient_.at(turn), inputs_};
    Matrix const in{x, inputs_}, out{y, outputs_};
    switch (product) {
      case Product::forward:
        return run(CUBLAS_OP_T, CUBLAS_OP_N, outputs_, n, inputs_, weights, in, out, type_of<Element>);
      case Product::input_gradient:
        return run(CUBLAS_OP_N, CUBLAS_OP_N, inputs_, n, outputs_, weights, out, in, type_of<Element>);
      default:
        return run(CUBLAS_OP_N, CUBLAS_OP_T, inputs_, outputs_, n, in, out, gradient, CUDA_R_32F);
    }
  }

 private:
  cublasHandle_t handle_ = nullptr;
  int outputs_, inputs_;
  Rotating<Element> weights_;
  Rotating<float> gradient_;
};

}  // namespace bench
