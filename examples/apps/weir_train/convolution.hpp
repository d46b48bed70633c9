#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "affine.hpp"
#include "initial_bound.hpp"
#include "layer.hpp"

namespace weir_train {

/// A 3x3 convolution with a border of zeros, so that the image keeps its size.
///
/// The nine neighbours of each pixel are copied into a column; the rest is a product of matrices. With the
/// channels of a pixel side by side, three neighbours in a row are one piece of memory.
template <class Real>
class Convolution final : public Layer<Real> {
 public:
  Convolution(Shape input, std::size_t filters, Activation activation)
      : input_(input),
        filters_(filters),
        bound_(initial_bound(9 * input.channels, filters, activation)),
        affine_(9 * input.channels, filters, activation) {}

  Shape input() const override { return input_; }
  Shape output() const override { return {input_.height, input_.width, filters_}; }
  std::vector<ParameterInfo> parameters() const override {
    return {{9 * input_.channels * filters_, bound_}, {filters_, 0.0}};
  }
  std::size_t scratch(std::size_t samples) const override { return 9 * input_.size() * samples; }

  void forward(LayerPass<Real> const& pass) const override {
    gather(pass);
    affine_.forward(pass.parameters[0], pass.parameters[1], pass.scratch, pass.out, columns(pass));
  }

  void backward(LayerPass<Real> const& pass) const override {
    affine_.differentiate_activation(pass.out, pass.out_delta, columns(pass));
    affine_.parameter_gradients(pass.scratch, pass.out_delta, pass, columns(pass));
    if (pass.in_delta == nullptr) return;
    affine_.input_gradient(pass.parameters[0], pass.out_delta, pass.scratch, columns(pass));
    scatter(pass);
  }

 private:
  Index columns(LayerPass<Real> const& pass) const {
    return static_cast<Index>(pass.samples * input_.pixels());
  }

  /// Calls `f(row, begin, end, at)` for the three rows around each pixel: of the row that starts at element
  /// `row` of the images, the elements from `begin` to `end` lie `at` elements into the scratch memory's
  /// piece of 3 * channels; begin == end where there is no such row.
  template <class Function>
  void for_each_piece(std::size_t samples, Function f) const {
    std::size_t const c = input_.channels;
    for (std::size_t sample = 0; sample < samples; ++sample) {
      for (std::size_t y = 0; y < input_.height; ++y) {
        for (std::size_t x = 0; x < input_.width; ++x) {
          std::size_t const left = x == 0 ? 0 : x - 1;
          std::size_t const right = std::min(x + 2, input_.width);
          for (std::size_t row = y; row < y + 3; ++row) {  // one too high, since the first would be -1
            bool const inside = row >= 1 && row <= input_.height;
            std::size_t const start =
                inside ? ((sample * input_.height + row - 1) * input_.width + left) * c : 0;
            f(start, inside ? (right - left) * c : 0, x == 0 ? c : 0);
          }
        }
      }
    }
  }

  void gather(LayerPass<Real> const& pass) const {
    std::size_t const piece = 3 * input_.channels;
    Real* to = pass.scratch;
    for_each_piece(pass.samples, [&](std::size_t start, std::size_t count, std::size_t at) {
      if (count != piece) std::fill_n(to, piece, Real{0});
      std::copy_n(pass.in + start, count, to + at);
      to += piece;
    });
  }

  void scatter(LayerPass<Real> const& pass) const {
    std::size_t const piece = 3 * input_.channels;
    std::fill_n(pass.in_delta, input_.size() * pass.samples, Real{0});
    Real const* from = pass.scratch;
    for_each_piece(pass.samples, [&](std::size_t start, std::size_t count, std::size_t at) {
      Real* const to = pass.in_delta + start;
      for (std::size_t i = 0; i < count; ++i) to[i] += from[at + i];
      from += piece;
    });
  }

  Shape input_;
  std::size_t filters_;
  double bound_;
  Affine<Real> affine_;
};

}  // namespace weir_train
