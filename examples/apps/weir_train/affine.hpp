#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "activation.hpp"
#include "dense_matrices.hpp"
#include "draws_values.hpp"
#include "layer.hpp"

namespace weir_train {

/// out = activation(W in + b) and its gradients, on columns; what dense and convolutional layers have in
/// common.
template <class Real, class Matrices = DenseMatrices<Real>>
class Affine {
 public:
  Affine(std::size_t inputs, std::size_t outputs, Activation activation)
      : Affine(Matrices(inputs, outputs), activation) {}
  Affine(Matrices matrices, Activation activation)
      : matrices_(std::move(matrices)), activation_(activation) {}

  ParameterInfo info() const { return matrices_.info(); }
  void initialise(weir::RandomStream const& random,
                  std::span<Real> weights) const requires DrawsValues<Matrices, Real> {
    matrices_.initialise(random, weights);
  }

  void forward(Real const* weight, Real const* bias, Real const* in, Real* out, Index columns) const {
    matrices_.multiply(weight, ins(in, columns), outs(out, columns));
    for (Index column = 0; column < columns; ++column, out += outputs()) {
      if (activation_ == Activation::relu) {
        // Written so that a NaN stays one.
        for (Index i = 0; i < outputs(); ++i) out[i] = out[i] + bias[i] < 0 ? Real{0} : out[i] + bias[i];
      } else {
        for (Index i = 0; i < outputs(); ++i) out[i] += bias[i];
      }
    }
  }

  /// Multiplies `delta`, the gradient of `out`, by the activation's derivative.
  void differentiate_activation(Real const* out, Real* delta, Index columns) const {
    if (activation_ == Activation::none) return;
    for (Index i = 0; i < outputs() * columns; ++i) delta[i] = out[i] > 0 ? delta[i] : Real{0};
  }

  /// In `spare` is as much memory as in `in_delta`, if the matrices need any and are several.
  void input_gradient(Real const* weight, Real const* delta, Real* in_delta, Index columns,
                      Real* spare = nullptr) const {
    matrices_.multiply_transposed(weight, outs(delta, columns), ins(in_delta, columns), false, spare);
  }

  void parameter_gradients(Real const* in, Real const* delta, LayerPass<Real> const& pass,
                           Index columns) const {
    matrices_.weight_gradient(ins(in, columns), outs(delta, columns), pass.gradients[0], pass.accumulate);
    Real* const bias_gradient = pass.gradients[1];
    if (!pass.accumulate) {
      for (Index i = 0; i < outputs(); ++i) bias_gradient[i] = 0;
    }
    for (Index column = 0; column < columns; ++column, delta += outputs()) {
      for (Index i = 0; i < outputs(); ++i) bias_gradient[i] += delta[i];
    }
  }

 private:
  Index outputs() const { return matrices_.outputs(); }
  auto ins(Real const* data, Index columns) const {
    return close<ConstStrided<Real>>(data, matrices_.inputs(), columns);
  }
  auto ins(Real* data, Index columns) const {
    return close<Strided<Real>>(data, matrices_.inputs(), columns);
  }
  auto outs(Real const* data, Index columns) const {
    return close<ConstStrided<Real>>(data, outputs(), columns);
  }
  auto outs(Real* data, Index columns) const { return close<Strided<Real>>(data, outputs(), columns); }

  /// Columns that lie close together.
  template <class Map, class Data>
  static Map close(Data* data, Index rows, Index columns) {
    return {data, rows, columns, Eigen::OuterStride<>(rows)};
  }

  Matrices matrices_;
  Activation activation_;
};

}  // namespace weir_train
