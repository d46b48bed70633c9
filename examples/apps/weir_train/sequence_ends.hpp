#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "affine.hpp"
#include "initial_bound.hpp"
#include "normalisation.hpp"
#include "sequence.hpp"

namespace weir_train {

/// Every position of a sequence, normalised. Parameters: gain; shift.
template <class Real>
class NormalisedSequence final : public Layer<Real> {
 public:
  explicit NormalisedSequence(Shape input) : shape_(input), norm_(input.channels) {}

  Shape input() const override { return shape_; }
  Shape output() const override { return shape_; }
  std::vector<ParameterInfo> parameters() const override { return {{2 * shape_.channels, 0.0}}; }
  std::size_t scratch(std::size_t samples) const override {
    return (shape_.channels + 1) * shape_.pixels() * samples;
  }

  void forward(LayerPass<Real> const& pass) const override {
    norm_.forward(pass.parameters[0], pass.in, pass.scratch, factor(pass), pass.out,
                  columns_of(pass, shape_));
  }

  void backward(LayerPass<Real> const& pass) const override {
    if (!pass.accumulate) std::fill_n(pass.gradients[0], 2 * shape_.channels, Real{0});
    if (pass.in_delta != nullptr) std::fill_n(pass.in_delta, shape_.size() * pass.samples, Real{0});
    norm_.backward(pass.parameters[0], pass.scratch, factor(pass), pass.out_delta, pass.gradients[0],
                   pass.in_delta, columns_of(pass, shape_));
  }

 private:
  Real* factor(LayerPass<Real> const& pass) const { return pass.scratch + shape_.size() * pass.samples; }

  Shape shape_;
  Normalisation<Real> norm_;
};

/// The mean over the positions of a sequence.
template <class Real>
class MeanOfSequence final : public Layer<Real> {
 public:
  explicit MeanOfSequence(Shape input) : shape_(input) {}

  Shape input() const override { return shape_; }
  Shape output() const override { return {1, 1, shape_.channels}; }

  void forward(LayerPass<Real> const& pass) const override {
    for (std::size_t sample = 0; sample < pass.samples; ++sample)
      Columns<Real>(pass.out + sample * shape_.channels, width(), 1) =
          ConstColumns<Real>(pass.in + sample * shape_.size(), width(), length()).rowwise().mean();
  }

  void backward(LayerPass<Real> const& pass) const override {
    if (pass.in_delta == nullptr) return;
    for (std::size_t sample = 0; sample < pass.samples; ++sample)
      Columns<Real>(pass.in_delta + sample * shape_.size(), width(), length()).colwise() =
          Columns<Real>(pass.out_delta + sample * shape_.channels, width(), 1).col(0) /
          static_cast<Real>(length());
  }

 private:
  Index width() const { return static_cast<Index>(shape_.channels); }
  Index length() const { return static_cast<Index>(shape_.pixels()); }

  Shape shape_;
};

/// The same dense layer for every position of a sequence: an output per class, of each.
template <class Real>
class DensePerPosition final : public Layer<Real> {
 public:
  DensePerPosition(Shape input, std::size_t outputs)
      : input_(input), outputs_(outputs), affine_(input.channels, outputs, Activation::none) {}

  Shape input() const override { return input_; }
  Shape output() const override { return {input_.height, input_.width, outputs_}; }
  std::vector<ParameterInfo> parameters() const override {
    return {{input_.channels * outputs_, initial_bound(input_.channels, outputs_, Activation::none)},
            {outputs_, 0.0}};
  }

  void forward(LayerPass<Real> const& pass) const override {
    affine_.forward(pass.parameters[0], pass.parameters[1], pass.in, pass.out, columns_of(pass, input_));
  }

  void backward(LayerPass<Real> const& pass) const override {
    if (pass.in_delta != nullptr)
      affine_.input_gradient(pass.parameters[0], pass.out_delta, pass.in_delta, columns_of(pass, input_));
    affine_.parameter_gradients(pass.in, pass.out_delta, pass, columns_of(pass, input_));
  }

 private:
  Shape input_;
  std::size_t outputs_;
  Affine<Real> affine_;
};

}  // namespace weir_train
