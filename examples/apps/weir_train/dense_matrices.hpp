#pragma once

#include <cstddef>

#include "layer.hpp"

namespace weir_train {

/// Matrices of as many rows each, one below the other, that multiply the same columns, which are maps.
/// Row-major, so that a product with any of their transposes reads memory in order.
template <class Real>
class DenseMatrices {
 public:
  DenseMatrices(std::size_t inputs, std::size_t rows, std::size_t count = 1)
      : inputs_(static_cast<Index>(inputs)), outputs_(static_cast<Index>(rows * count)) {}

  Index inputs() const { return inputs_; }
  Index outputs() const { return outputs_; }  // of all
  ParameterInfo info() const { return {static_cast<std::size_t>(inputs_ * outputs_)}; }
  /// Elements of memory for each column that `multiply_transposed` needs.
  Index spare() const { return 0; }

  /// y = W x
  template <class In>
  void multiply(Real const* weights, In const& x, Strided<Real> y) const {
    y.noalias() = map(weights) * x;
  }

  /// dx = W^T dy, or is increased by it.
  template <class In>
  void multiply_transposed(Real const* weights, In const& dy, Strided<Real> dx, bool accumulate,
                           Real* /*spare*/) const {
    if (accumulate) {
      dx.noalias() += map(weights).transpose() * dy;
    } else {
      dx.noalias() = map(weights).transpose() * dy;
    }
  }

  /// gradient = dy x^T, or is increased by it.
  template <class In, class Out>
  void weight_gradient(In const& x, Out const& dy, Real* gradient, bool accumulate) const {
    Eigen::Map<RowMajor> sum(gradient, outputs_, inputs_);
    if (accumulate) {
      sum.noalias() += dy * x.transpose();
    } else {
      sum.noalias() = dy * x.transpose();
    }
  }

 private:
  using RowMajor = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  auto map(Real const* weights) const { return Eigen::Map<RowMajor const>(weights, outputs_, inputs_); }

  Index inputs_;
  Index outputs_;
};

}  // namespace weir_train
