#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "affine.hpp"
#include "initial_bound.hpp"
#include "normalisation.hpp"
#include "sequence.hpp"

namespace weir_train {

/// x + W_2 relu(W_1 n + b_1) + b_2 of every position x of a sequence, where n is x normalised.
/// Parameters: the rows of W_1 and W_2; gain, shift, b_1, b_2.
template <class Real>
class FeedForward final : public Layer<Real> {
 public:
  FeedForward(Shape input, std::size_t inner)
      : shape_(input),
        inner_(inner),
        norm_(input.channels),
        first_(input.channels, inner, Activation::relu),
        second_(inner, input.channels, Activation::none) {}

  Shape input() const override { return shape_; }
  Shape output() const override { return shape_; }
  std::vector<ParameterInfo> parameters() const override {
    return {{matrices(), initial_bound(shape_.channels, inner_, Activation::none)}, {vectors(), 0.0}};
  }
  std::size_t scratch(std::size_t samples) const override {
    return (2 * shape_.channels + 2 * inner_ + 1) * shape_.pixels() * samples;
  }

  void forward(LayerPass<Real> const& pass) const override {
    Place const at(*this, pass);
    norm_.forward(pass.parameters[1], pass.in, at.normal, at.factor, at.seen, at.columns);
    first_.forward(pass.parameters[0], pass.parameters[1] + 2 * shape_.channels, at.seen, at.inner,
                   at.columns);
    second_.forward(pass.parameters[0] + matrices() / 2, pass.parameters[1] + 2 * shape_.channels + inner_,
                    at.inner, pass.out, at.columns);
    auto const width = static_cast<Index>(shape_.channels);
    Columns<Real>(pass.out, width, at.columns) += ConstColumns<Real>(pass.in, width, at.columns);
  }

  void backward(LayerPass<Real> const& pass) const override {
    Place const at(*this, pass);
    prepare_gradients(pass, matrices(), vectors());
    LayerPass<Real> part = pass;
    part.accumulate = true;
    part.gradients[0] = pass.gradients[0] + matrices() / 2;
    part.gradients[1] = pass.gradients[1] + 2 * shape_.channels + inner_;
    second_.parameter_gradients(at.inner, pass.out_delta, part, at.columns);
    second_.input_gradient(pass.parameters[0] + matrices() / 2, pass.out_delta, at.inner_delta, at.columns);
    first_.differentiate_activation(at.inner, at.inner_delta, at.columns);
    part.gradients[0] = pass.gradients[0];
    part.gradients[1] = pass.gradients[1] + 2 * shape_.channels;
    first_.parameter_gradients(at.seen, at.inner_delta, part, at.columns);
    first_.input_gradient(pass.parameters[0], at.inner_delta, at.seen, at.columns);
    if (pass.in_delta != nullptr) std::copy_n(pass.out_delta, shape_.size() * pass.samples, pass.in_delta);
    norm_.backward(pass.parameters[1], at.normal, at.factor, at.seen, pass.gradients[1], pass.in_delta,
                   at.columns);
  }

 private:
  /// The pieces of the scratch memory, each a column per position of each sample.
  struct Place {
    Place(FeedForward const& layer, LayerPass<Real> const& pass) : columns(columns_of(pass, layer.shape_)) {
      auto const width = static_cast<Index>(layer.shape_.channels);
      auto const inner_width = static_cast<Index>(layer.inner_);
      Pieces<Real> pieces(pass.scratch);
      normal = pieces.take(width * columns);
      seen = pieces.take(width * columns);
      inner = pieces.take(inner_width * columns);
      inner_delta = pieces.take(inner_width * columns);
      factor = pieces.take(columns);
    }

    Index columns;
    Real* normal;
    Real* seen;
    Real* inner;
    Real* inner_delta;
    Real* factor;
  };

  std::size_t matrices() const { return 2 * shape_.channels * inner_; }
  std::size_t vectors() const { return 3 * shape_.channels + inner_; }

  Shape shape_;
  std::size_t inner_;
  Normalisation<Real> norm_;
  Affine<Real> first_;
  Affine<Real> second_;
};

}  // namespace weir_train
