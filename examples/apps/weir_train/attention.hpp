#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "affine.hpp"
#include "initial_bound.hpp"
#include "normalisation.hpp"
#include "sequence.hpp"
#include "two_products.hpp"

namespace weir_train {

/// x + W_o a + b_o of every position x of a sequence, where a is what scaled dot-product attention of several
/// heads makes of the normalised sequence. If it is causal, a position looks at itself and those before.
/// Parameters: the rows of W_q, W_k, W_v, W_o; gain, shift, b_q, b_k, b_v, b_o.
template <class Real, class Matrices = DenseMatrices<Real>>
class Attention final : public TwoProducts<Real, Affine<Real, Matrices>> {
 public:
  /// `make` makes the matrices.
  template <class Make>
  Attention(Shape input, std::size_t heads, bool is_causal, Make& make)
      : Attention(input, heads, is_causal, initial_bound(input.channels, input.channels, Activation::none),
                  make) {}

  Shape input() const override { return shape_; }
  Shape output() const override { return shape_; }
  std::size_t scratch(std::size_t samples) const override {
    return static_cast<std::size_t>((9 * width_ + 1 + (heads_ + 1) * length_) * length_) * samples;
  }
  std::size_t cost() const override { return (matrices() + 2 * shape_.size()) * shape_.pixels(); }

  void forward(LayerPass<Real> const& pass) const override {
    Place const at(*this, pass);
    norm_.forward(pass.parameters[1], pass.in, at.normal, at.factor, at.seen, at.columns);
    first().forward(pass.parameters[0], pass.parameters[1] + 2 * width_, at.seen, at.queries, at.columns);
    for (Index head = 0; head < heads_ * static_cast<Index>(pass.samples); ++head) {
      auto weights = at.weights_of(head);
      weights.noalias() = at.of(head, at.queries, 1).transpose() * at.of(head, at.queries, 0);
      for (Index position = 0; position < length_; ++position) normalise(weights.col(position), position);
      at.mixed_of(head, at.mixed).noalias() = at.of(head, at.queries, 2) * weights;
    }
    second().forward(pass.parameters[0] + behind_first(), pass.parameters[1] + 5 * width_, at.mixed, pass.out,
                     at.columns);
    Columns<Real>(pass.out, width_, at.columns) += ConstColumns<Real>(pass.in, width_, at.columns);
  }

  void backward(LayerPass<Real> const& pass) const override {
    Place const at(*this, pass);
    prepare_gradients(pass, matrices(), vectors());
    LayerPass<Real> outward = pass;
    outward.accumulate = true;
    outward.gradients[0] += behind_first();
    outward.gradients[1] += 5 * width_;
    second().parameter_gradients(at.mixed, pass.out_delta, outward, at.columns);
    // What was seen is needed once more; what was mixed is not.
    second().input_gradient(pass.parameters[0] + behind_first(), pass.out_delta, at.mixed, at.columns);
    for (Index head = 0; head < heads_ * static_cast<Index>(pass.samples); ++head) differentiate(at, head);
    LayerPass<Real> inward = pass;
    inward.accumulate = true;
    inward.gradients[1] += 2 * width_;
    first().parameter_gradients(at.seen, at.deltas, inward, at.columns);
    first().input_gradient(pass.parameters[0], at.deltas, at.seen, at.columns, at.mixed);
    if (pass.in_delta != nullptr) std::copy_n(pass.out_delta, width_ * at.columns, pass.in_delta);
    norm_.backward(pass.parameters[1], at.normal, at.factor, at.seen, pass.gradients[1], pass.in_delta,
                   at.columns);
  }

 private:
  using Base = TwoProducts<Real, Affine<Real, Matrices>>;
  using Base::behind_first, Base::first, Base::matrices, Base::second, Base::vectors;

  template <class Make>
  Attention(Shape input, std::size_t heads, bool is_causal, double bound, Make& make)
      : Base{{make.matrices(input.channels, input.channels, 3, bound), Activation::none},
             {make.matrices(input.channels, input.channels, 1, bound), Activation::none},
             6 * input.channels,
             bound},
        shape_(input),
        width_(static_cast<Index>(input.channels)),
        length_(static_cast<Index>(input.pixels())),
        heads_(static_cast<Index>(heads)),
        is_causal_(is_causal),
        norm_(input.channels) {}

  /// The pieces of the scratch memory, each a column per position of each sample.
  struct Place {
    Place(Attention const& layer, LayerPass<Real> const& pass)
        : columns(columns_of(pass, layer.shape_)), layer_(layer) {
      Pieces<Real> pieces(pass.scratch);
      normal = pieces.take(layer.width_ * columns);
      seen = pieces.take(layer.width_ * columns);
      queries = pieces.take(3 * layer.width_ * columns);
      mixed = pieces.take(layer.width_ * columns);
      deltas = pieces.take(3 * layer.width_ * columns);
      weights = pieces.take(layer.heads_ * layer.length_ * columns);
      weight_delta = pieces.take(layer.length_ * layer.length_);
      factor = pieces.take(columns);
    }

    /// Queries (0), keys (1) or values (2) of a head of a sample, or their gradients.
    Strided<Real> of(Index head, Real* all, Index which) const {
      Index const depth = layer_.width_ / layer_.heads_;
      Index const sample = head / layer_.heads_;
      Real* const first = all + sample * layer_.length_ * 3 * layer_.width_ + which * layer_.width_ +
                          head % layer_.heads_ * depth;
      return {first, depth, layer_.length_, Eigen::OuterStride<>(3 * layer_.width_)};
    }
    /// What a head of a sample has mixed of the values.
    Strided<Real> mixed_of(Index head, Real* all) const {
      Index const depth = layer_.width_ / layer_.heads_;
      Real* const first =
          all + head / layer_.heads_ * layer_.length_ * layer_.width_ + head % layer_.heads_ * depth;
      return {first, depth, layer_.length_, Eigen::OuterStride<>(layer_.width_)};
    }
    /// A column for each position: how much it takes of which.
    Columns<Real> weights_of(Index head) const {
      return {weights + head * layer_.length_ * layer_.length_, layer_.length_, layer_.length_};
    }
    Columns<Real> weight_deltas() const { return {weight_delta, layer_.length_, layer_.length_}; }

    Index columns;
    Real* normal;
    Real* seen;
    Real* queries;  // keys and values
    Real* mixed;
    Real* deltas;  // of queries, keys and values
    Real* weights;
    Real* weight_delta;  // of one head
    Real* factor;

   private:
    Attention const& layer_;
  };

  Real scale() const { return 1 / std::sqrt(static_cast<Real>(width_ / heads_)); }

  template <class Column>
  void normalise(Column column, Index position) const {
    Index const seen = is_causal_ ? position + 1 : length_;
    auto part = column.head(seen).array();
    part = ((part - part.maxCoeff()) * scale()).exp();
    part /= part.sum();
    column.tail(length_ - seen).setZero();
  }

  /// From the gradient of what a head has mixed to those of its queries, keys and values.
  void differentiate(Place const& at, Index head) const {
    auto const weights = at.weights_of(head);
    auto const mixed = at.mixed_of(head, at.mixed);
    auto deltas = at.weight_deltas();
    at.of(head, at.deltas, 2).noalias() = mixed * weights.transpose();
    deltas.noalias() = at.of(head, at.queries, 2).transpose() * mixed;
    for (Index position = 0; position < length_; ++position) {
      Real const along = weights.col(position).dot(deltas.col(position));
      deltas.col(position).array() =
          weights.col(position).array() * (deltas.col(position).array() - along) * scale();
    }
    at.of(head, at.deltas, 0).noalias() = at.of(head, at.queries, 1) * deltas;
    at.of(head, at.deltas, 1).noalias() = at.of(head, at.queries, 0) * deltas.transpose();
  }

  Shape shape_;
  Index width_;
  Index length_;
  Index heads_;
  bool is_causal_;
  Normalisation<Real> norm_;
};

}  // namespace weir_train
