#pragma once

#include <cstddef>
#include <vector>

#include "affine.hpp"
#include "initial_bound.hpp"
#include "layer.hpp"

namespace weir_train {

/// Every output depends on every input of the sample.
template <class Real>
class Dense final : public Layer<Real> {
 public:
  Dense(Shape input, std::size_t outputs, Activation activation)
      : input_(input),
        outputs_(outputs),
        bound_(initial_bound(input.size(), outputs, activation)),
        affine_(input.size(), outputs, activation) {}

  Shape input() const override { return input_; }
  Shape output() const override { return {1, 1, outputs_}; }
  std::vector<ParameterInfo> parameters() const override {
    return {{input_.size() * outputs_, bound_}, {outputs_, 0.0}};
  }

  void forward(LayerPass<Real> const& pass) const override {
    affine_.forward(pass.parameters[0], pass.parameters[1], pass.in, pass.out, columns(pass));
  }

  void backward(LayerPass<Real> const& pass) const override {
    affine_.differentiate_activation(pass.out, pass.out_delta, columns(pass));
    if (pass.in_delta != nullptr)
      affine_.input_gradient(pass.parameters[0], pass.out_delta, pass.in_delta, columns(pass));
    affine_.parameter_gradients(pass.in, pass.out_delta, pass, columns(pass));
  }

 private:
  static Index columns(LayerPass<Real> const& pass) { return static_cast<Index>(pass.samples); }

  Shape input_;
  std::size_t outputs_;
  double bound_;
  Affine<Real> affine_;
};

}  // namespace weir_train
