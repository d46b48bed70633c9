#pragma once

#include <cstddef>

#include "activation.hpp"
#include "layer.hpp"

namespace weir_train {

/// out = activation(W in + b) and its gradients, on columns; what dense and convolutional layers have in
/// common. W is row-major, outputs x inputs, so that a product with any of its transposes reads memory in
/// order.
template <class Real>
class Affine {
 public:
  Affine(std::size_t inputs, std::size_t outputs, Activation activation)
      : inputs_(static_cast<Index>(inputs)), outputs_(static_cast<Index>(outputs)), activation_(activation) {}

  void forward(Real const* weight, Real const* bias, Real const* in, Real* out, Index columns) const {
    Columns<Real>(out, outputs_, columns).noalias() =
        Weights(weight, outputs_, inputs_) * ConstColumns<Real>(in, inputs_, columns);
    for (Index column = 0; column < columns; ++column, out += outputs_) {
      if (activation_ == Activation::relu) {
        // Written so that a NaN stays one.
        for (Index i = 0; i < outputs_; ++i) out[i] = out[i] + bias[i] < 0 ? Real{0} : out[i] + bias[i];
      } else {
        for (Index i = 0; i < outputs_; ++i) out[i] += bias[i];
      }
    }
  }

  /// Multiplies `delta`, the gradient of `out`, by the activation's derivative.
  void differentiate_activation(Real const* out, Real* delta, Index columns) const {
    if (activation_ == Activation::none) return;
    for (Index i = 0; i < outputs_ * columns; ++i) delta[i] = out[i] > 0 ? delta[i] : Real{0};
  }

  void input_gradient(Real const* weight, Real const* delta, Real* in_delta, Index columns) const {
    Columns<Real>(in_delta, inputs_, columns).noalias() =
        Weights(weight, outputs_, inputs_).transpose() * ConstColumns<Real>(delta, outputs_, columns);
  }

  void parameter_gradients(Real const* in, Real const* delta, LayerPass<Real> const& pass,
                           Index columns) const {
    ConstColumns<Real> const deltas(delta, outputs_, columns);
    auto const ins = ConstColumns<Real>(in, inputs_, columns).transpose();
    WeightGradient weight_gradient(pass.gradients[0], outputs_, inputs_);
    Real* const bias_gradient = pass.gradients[1];
    if (pass.accumulate) {
      weight_gradient.noalias() += deltas * ins;
    } else {
      weight_gradient.noalias() = deltas * ins;
      for (Index i = 0; i < outputs_; ++i) bias_gradient[i] = 0;
    }
    for (Index column = 0; column < columns; ++column, delta += outputs_) {
      for (Index i = 0; i < outputs_; ++i) bias_gradient[i] += delta[i];
    }
  }

 private:
  using RowMajor = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Weights = Eigen::Map<RowMajor const>;
  using WeightGradient = Eigen::Map<RowMajor>;

  Index inputs_;
  Index outputs_;
  Activation activation_;
};

}  // namespace weir_train
