#pragma once

#include <algorithm>
#include <cstddef>

#include "affine.hpp"
#include "initial_bound.hpp"
#include "normalisation.hpp"
#include "sequence.hpp"
#include "two_products.hpp"

namespace weir_train {

/// x + W_2 relu(W_1 n + b_1) + b_2 of every position x of a sequence, where n is x normalised.
/// Parameters: the rows of W_1 and W_2; gain, shift, b_1, b_2.
template <class Real, class Matrices = DenseMatrices<Real>>
class FeedForward final : public TwoProducts<Real, Affine<Real, Matrices>> {
 public:
  /// `make` makes the matrices.
  template <class Make>
  FeedForward(Shape input, std::size_t inner, Make& make)
      : FeedForward(input, inner, initial_bound(input.channels, inner, Activation::none), make) {}

  Shape input() const override { return shape_; }
  Shape output() const override { return shape_; }
  std::size_t scratch(std::size_t samples) const override {
    return (2 * shape_.channels + 2 * inner_ + 1) * shape_.pixels() * samples;
  }

  void forward(LayerPass<Real> const& pass) const override {
    Place const at(*this, pass);
    norm_.forward(pass.parameters[1], pass.in, at.normal, at.factor, at.seen, at.columns);
    first().forward(pass.parameters[0], pass.parameters[1] + 2 * shape_.channels, at.seen, at.inner,
                    at.columns);
    second().forward(pass.parameters[0] + behind_first(), pass.parameters[1] + 2 * shape_.channels + inner_,
                     at.inner, pass.out, at.columns);
    auto const width = static_cast<Index>(shape_.channels);
    Columns<Real>(pass.out, width, at.columns) += ConstColumns<Real>(pass.in, width, at.columns);
  }

  void backward(LayerPass<Real> const& pass) const override {
    Place const at(*this, pass);
    prepare_gradients(pass, matrices(), vectors());
    LayerPass<Real> part = pass;
    part.accumulate = true;
    part.gradients[0] = pass.gradients[0] + behind_first();
    part.gradients[1] = pass.gradients[1] + 2 * shape_.channels + inner_;
    second().parameter_gradients(at.inner, pass.out_delta, part, at.columns);
    second().input_gradient(pass.parameters[0] + behind_first(), pass.out_delta, at.inner_delta, at.columns);
    first().differentiate_activation(at.inner, at.inner_delta, at.columns);
    part.gradients[0] = pass.gradients[0];
    part.gradients[1] = pass.gradients[1] + 2 * shape_.channels;
    first().parameter_gradients(at.seen, at.inner_delta, part, at.columns);
    first().input_gradient(pass.parameters[0], at.inner_delta, at.seen, at.columns);
    if (pass.in_delta != nullptr) std::copy_n(pass.out_delta, shape_.size() * pass.samples, pass.in_delta);
    norm_.backward(pass.parameters[1], at.normal, at.factor, at.seen, pass.gradients[1], pass.in_delta,
                   at.columns);
  }

 private:
  using Base = TwoProducts<Real, Affine<Real, Matrices>>;
  using Base::behind_first, Base::first, Base::matrices, Base::second, Base::vectors;

  template <class Make>
  FeedForward(Shape input, std::size_t inner, double bound, Make& make)
      : Base{{make.matrices(input.channels, inner, 1, bound), Activation::relu},
             {make.matrices(inner, input.channels, 1, bound), Activation::none},
             3 * input.channels + inner,
             bound},
        shape_(input),
        inner_(inner),
        norm_(input.channels) {}

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

  Shape shape_;
  std::size_t inner_;
  Normalisation<Real> norm_;
};

}  // namespace weir_train
