#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "immediate_executor.hpp"
#include "layer.hpp"
#include "masked_values.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_product.hpp"
#include "weir/mask/linear.hpp"

namespace weir_train {

/// A dense layer of which only the live weights exist.
template <class Real>
class MaskedDense final : public Layer<Real> {
 public:
  MaskedDense(Shape input, weir::MaskOptions const& mask, Activation activation)
      : input_(input),
        layer_(weir::BIBDMask(mask), {.activation = library_activation(activation)}),
        bound_(layer_.on(here_)) {}

  /// What it is, for a GPU.
  weir::BIBDLinear<> const& linear() const { return layer_; }

  Shape input() const override { return input_; }
  Shape output() const override { return {1, 1, layer_.outputs()}; }
  std::vector<ParameterInfo> parameters() const override {
    ParameterInfo weights{layer_.value_count()};
    weights.live = layer_.mask().nnz();
    weights.of_dense = layer_.inputs() * layer_.outputs();
    return {weights, {layer_.outputs(), 0.0}};
  }

  void initialise(std::size_t place, weir::RandomStream const& random,
                  std::span<Real> values) const override {
    if (place != 0) return Layer<Real>::initialise(place, random, values);
    layer_.initialise(values, {.seed = seed_of(random)});
  }

  void forward(LayerPass<Real> const& pass) const override {
    bound_.template forward<Real>(here_, weights(pass), {pass.parameters[1], layer_.outputs()}, in(pass),
                                  out(pass.out, pass));
  }

  void backward(LayerPass<Real> const& pass) const override {
    auto const mode = pass.accumulate ? weir::GradientMode::accumulate : weir::GradientMode::overwrite;
    bound_.template backward<Real>(
        here_, weights(pass), in(pass), out(pass.out, pass), out(pass.out_delta, pass),
        weir::batch_major(pass.in_delta, pass.samples, layer_.inputs()),
        {pass.gradients[0], layer_.value_count()}, {pass.gradients[1], layer_.outputs()}, mode);
  }

 private:
  weir::TensorView<Real const, weir::HostSpace> weights(LayerPass<Real> const& pass) const {
    return {pass.parameters[0], layer_.value_count()};
  }
  auto in(LayerPass<Real> const& pass) const {
    return weir::batch_major(pass.in, pass.samples, layer_.inputs());
  }
  auto out(Real* data, LayerPass<Real> const& pass) const {
    return weir::batch_major(data, pass.samples, layer_.outputs());
  }

  Shape input_;
  weir::BIBDLinear<> layer_;
  weir::HostExecutor here_ = immediate_executor();
  weir::BIBDLinear<>::Bound<weir::HostExecutor> bound_;
};

}  // namespace weir_train
