#pragma once

#include <cstddef>
#include <memory>

#include "convolution.hpp"
#include "dense.hpp"
#include "dense_matrices.hpp"

namespace weir_train {

/// Makes layers that have all their weights.
template <class Real>
struct DenseLayers {
  using Made = std::unique_ptr<Layer<Real> const>;
  using Matrices = DenseMatrices<Real>;

  Made linear(Shape input, std::size_t outputs, Activation activation) const {
    return std::make_unique<Dense<Real>>(input, outputs, activation);
  }
  Made convolution(Shape input, std::size_t filters, Activation activation) const {
    return std::make_unique<Convolution<Real>>(input, filters, activation);
  }
  /// `count` matrices of so many rows, whose layer knows their first weights.
  Matrices matrices(std::size_t inputs, std::size_t rows, std::size_t count, double /*bound*/) const {
    return Matrices(inputs, rows, count);
  }
};

}  // namespace weir_train
