#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "immediate_executor.hpp"
#include "layer.hpp"
#include "masked_values.hpp"
#include "weir/host/batch_verbs.hpp"
#include "weir/host/masked_convolution.hpp"
#include "weir/mask/conv2d.hpp"

namespace weir_train {

/// A 3x3 convolution with a border of zeros, so that the image keeps its size, of which only live pairs of
/// channels have weights.
template <class Real>
class MaskedConvolution final : public Layer<Real> {
 public:
  MaskedConvolution(Shape input, weir::MaskOptions const& mask, Activation activation)
      : input_(input),
        layer_({.inputs = mask.inputs,
                .outputs = mask.outputs,
                .padding = 1,
                .mask = mask,
                .activation = library_activation(activation),
                .has_bias = true}),
        bound_(layer_.on(here_)) {}

  Shape input() const override { return input_; }
  Shape output() const override { return {input_.height, input_.width, filters()}; }
  std::vector<ParameterInfo> parameters() const override {
    ParameterInfo weights{layer_.value_count()};
    weights.live = layer_.nnz();
    weights.of_dense = layer_.taps() * input_.channels * filters();
    return {weights, {filters(), 0.0}};
  }

  void initialise(std::size_t place, weir::RandomStream const& random,
                  std::span<Real> values) const override {
    if (place != 0) return Layer<Real>::initialise(place, random, values);
    layer_.initialise(values, {.seed = seed_of(random)});
  }

  void forward(LayerPass<Real> const& pass) const override {
    bound_.template forward<Real>(here_, shape(pass), weights(pass), {pass.parameters[1], filters()},
                                  in(pass), out(pass.out, pass));
  }

  void backward(LayerPass<Real> const& pass) const override {
    auto const mode = pass.accumulate ? weir::GradientMode::accumulate : weir::GradientMode::overwrite;
    bound_.template backward<Real>(
        here_, shape(pass), weights(pass), in(pass), out(pass.out, pass), out(pass.out_delta, pass),
        weir::batch_major(pass.in_delta, pixels(pass), input_.channels),
        {pass.gradients[0], layer_.value_count()}, {pass.gradients[1], filters()}, mode);
  }

 private:
  std::size_t filters() const { return layer_.options().outputs; }
  std::size_t pixels(LayerPass<Real> const& pass) const { return pass.samples * input_.pixels(); }
  weir::ConvolutionShape shape(LayerPass<Real> const& pass) const {
    auto const narrow = [](std::size_t size) { return static_cast<std::uint32_t>(size); };
    return layer_.shape(narrow(pass.samples), narrow(input_.height), narrow(input_.width));
  }
  weir::TensorView<Real const, weir::HostSpace> weights(LayerPass<Real> const& pass) const {
    return {pass.parameters[0], layer_.value_count()};
  }
  auto in(LayerPass<Real> const& pass) const {
    return weir::batch_major(pass.in, pixels(pass), input_.channels);
  }
  auto out(Real* data, LayerPass<Real> const& pass) const {
    return weir::batch_major(data, pixels(pass), filters());
  }

  Shape input_;
  weir::BIBDConv2d<> layer_;
  weir::HostExecutor here_ = immediate_executor();
  weir::BIBDConv2d<>::Bound<weir::HostExecutor> bound_;
};

}  // namespace weir_train
