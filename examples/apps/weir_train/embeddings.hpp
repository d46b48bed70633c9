#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "affine.hpp"
#include "initial_bound.hpp"
#include "sequence.hpp"

namespace weir_train {

/// A column for each token of a sequence: that of the token, plus that of its position. Tokens are whole
/// numbers. Parameters: the columns of the vocabulary; those of the positions.
template <class Real>
class TokenEmbedding final : public Layer<Real> {
 public:
  TokenEmbedding(std::size_t length, std::size_t vocabulary, std::size_t width)
      : length_(length), vocabulary_(vocabulary), width_(width) {}

  Shape input() const override { return sequence(length_, 1); }
  Shape output() const override { return sequence(length_, width_); }
  std::vector<ParameterInfo> parameters() const override {
    return {{vocabulary_ * width_, 0.3}, {length_ * width_, 0.1}};
  }
  std::size_t cost() const override { return length_ * width_; }

  void forward(LayerPass<Real> const& pass) const override {
    for (std::size_t column = 0; column < pass.samples * length_; ++column) {
      Real const* const of_token = pass.parameters[0] + token(pass, column) * width_;
      Real const* const of_place = pass.parameters[1] + column % length_ * width_;
      Real* const out = pass.out + column * width_;
      for (std::size_t i = 0; i < width_; ++i) out[i] = of_token[i] + of_place[i];
    }
  }

  void backward(LayerPass<Real> const& pass) const override {
    prepare_gradients(pass, vocabulary_ * width_, length_ * width_);
    for (std::size_t column = 0; column < pass.samples * length_; ++column) {
      Real* const of_token = pass.gradients[0] + token(pass, column) * width_;
      Real* const of_place = pass.gradients[1] + column % length_ * width_;
      Real const* const delta = pass.out_delta + column * width_;
      for (std::size_t i = 0; i < width_; ++i) {
        of_token[i] += delta[i];
        of_place[i] += delta[i];
      }
    }
    // A token has no gradient.
    if (pass.in_delta != nullptr) std::fill_n(pass.in_delta, pass.samples * length_, Real{0});
  }

 private:
  static std::size_t token(LayerPass<Real> const& pass, std::size_t column) {
    return static_cast<std::size_t>(pass.in[column]);
  }

  std::size_t length_;
  std::size_t vocabulary_;
  std::size_t width_;
};

/// A column for each square patch of an image: W times its pixels, plus the column of its position.
/// Parameters: the rows of W; the columns of the positions.
template <class Real>
class PatchEmbedding final : public Layer<Real> {
 public:
  /// The image has a whole number of patches.
  PatchEmbedding(Shape input, std::size_t patch, std::size_t width)
      : input_(input),
        patch_(patch),
        length_(input.pixels() / (patch * patch)),
        width_(width),
        features_(patch * patch * input.channels),
        weights_(features_, width, Activation::none) {}

  Shape input() const override { return input_; }
  Shape output() const override { return sequence(length_, width_); }
  std::vector<ParameterInfo> parameters() const override {
    return {{features_ * width_, initial_bound(features_, width_, Activation::none)},
            {length_ * width_, 0.1}};
  }
  /// The patches, then what is a bias of none.
  std::size_t scratch(std::size_t samples) const override { return (input_.size() + width_) * samples; }
  std::size_t cost() const override { return input_.size() * width_; }

  void forward(LayerPass<Real> const& pass) const override {
    Real* const no_bias = clear_bias(pass);
    for_each_row(pass.samples, [&](std::size_t from, std::size_t to, std::size_t count) {
      std::copy_n(pass.in + from, count, pass.scratch + to);
    });
    weights_.forward(pass.parameters[0], no_bias, pass.scratch, pass.out, columns(pass));
    for_each_position(pass,
                      [&](std::size_t at, std::size_t place) { pass.out[at] += pass.parameters[1][place]; });
  }

  void backward(LayerPass<Real> const& pass) const override {
    prepare_gradients(pass, features_ * width_, length_ * width_);
    LayerPass<Real> part = pass;
    part.accumulate = true;
    part.gradients[1] = clear_bias(pass);  // of no use
    weights_.parameter_gradients(pass.scratch, pass.out_delta, part, columns(pass));
    for_each_position(
        pass, [&](std::size_t at, std::size_t place) { pass.gradients[1][place] += pass.out_delta[at]; });
    if (pass.in_delta == nullptr) return;
    weights_.input_gradient(pass.parameters[0], pass.out_delta, pass.scratch, columns(pass));
    for_each_row(pass.samples, [&](std::size_t from, std::size_t to, std::size_t count) {
      std::copy_n(pass.scratch + to, count, pass.in_delta + from);
    });
  }

 private:
  Index columns(LayerPass<Real> const& pass) const { return columns_of(pass, output()); }

  Real* clear_bias(LayerPass<Real> const& pass) const {
    Real* const bias = pass.scratch + input_.size() * pass.samples;
    std::fill_n(bias, width_, Real{0});
    return bias;
  }

  /// Calls `f(from, to, count)` for each row of each patch: where it lies in the images and in the patches.
  template <class Function>
  void for_each_row(std::size_t samples, Function f) const {
    std::size_t const count = patch_ * input_.channels;
    std::size_t to = 0;
    for (std::size_t sample = 0; sample < samples; ++sample) {
      for (std::size_t y = 0; y < input_.height; y += patch_) {
        for (std::size_t x = 0; x < input_.width; x += patch_) {
          for (std::size_t row = y; row < y + patch_; ++row, to += count)
            f(((sample * input_.height + row) * input_.width + x) * input_.channels, to, count);
        }
      }
    }
  }

  /// Calls `f(at, place)` for each number of the output, and of the position that it has.
  template <class Function>
  void for_each_position(LayerPass<Real> const& pass, Function f) const {
    for (std::size_t sample = 0; sample < pass.samples; ++sample) {
      for (std::size_t place = 0; place < length_ * width_; ++place)
        f(sample * length_ * width_ + place, place);
    }
  }

  Shape input_;
  std::size_t patch_;
  std::size_t length_;
  std::size_t width_;
  std::size_t features_;
  Affine<Real> weights_;
};

}  // namespace weir_train
