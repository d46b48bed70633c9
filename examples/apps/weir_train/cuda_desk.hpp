#pragma once

#include <cstddef>
#include <vector>

#include "cublas.hpp"
#include "cuda_layers.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir_train {

/// What a stream that runs layers works on besides activations; no other does at the same time.
struct CudaDesk {
  CudaDesk(weir::CudaExecutor const& executor, CudaLayers const& layers, std::size_t batch) : blas(executor) {
    for (int i = 0; i < 2; ++i) deltas.emplace_back(executor, batch * layers.widest());
  }

  /// The gradient of an activation; that of the one below lies elsewhere.
  float* delta(std::size_t activation) { return deltas[activation % 2].data(); }

  Cublas blas;
  std::vector<weir::Buffer<float, weir::CudaExecutor>> deltas;
};

}  // namespace weir_train
