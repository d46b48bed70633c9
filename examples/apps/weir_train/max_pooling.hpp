#pragma once

#include <algorithm>
#include <cstddef>

#include "layer.hpp"

namespace weir_train {

/// The maximum of each 2x2 square. A last row or column without a partner is left out.
template <class Real>
class MaxPooling final : public Layer<Real> {
 public:
  explicit MaxPooling(Shape input) : input_(input) {}

  Shape input() const override { return input_; }
  Shape output() const override { return {input_.height / 2, input_.width / 2, input_.channels}; }

  void forward(LayerPass<Real> const& pass) const override {
    std::size_t const below = input_.width * input_.channels;
    for_each_square(pass.samples, [&](std::size_t from, std::size_t to) {
      Real const* const in = pass.in + from;
      for (std::size_t c = 0; c < input_.channels; ++c) {
        pass.out[to + c] = std::max(std::max(in[c], in[c + input_.channels]),
                                    std::max(in[c + below], in[c + below + input_.channels]));
      }
    });
  }

  /// The first of several equal maxima gets the gradient.
  void backward(LayerPass<Real> const& pass) const override {
    if (pass.in_delta == nullptr) return;
    std::size_t const below = input_.width * input_.channels;
    std::size_t const corners[] = {0, input_.channels, below, below + input_.channels};
    if (input_.height % 2 + input_.width % 2 != 0)
      std::fill_n(pass.in_delta, input_.size() * pass.samples, Real{0});
    for_each_square(pass.samples, [&](std::size_t from, std::size_t to) {
      Real* const rest = pass.out_delta + to;
      for (std::size_t const corner : corners) {
        Real const* const in = pass.in + from + corner;
        Real* const in_delta = pass.in_delta + from + corner;
        for (std::size_t c = 0; c < input_.channels; ++c) {
          bool const is_maximum = in[c] == pass.out[to + c];
          in_delta[c] = is_maximum ? rest[c] : Real{0};
          rest[c] = is_maximum ? Real{0} : rest[c];
        }
      }
    });
  }

 private:
  /// Calls `f(from, to)`: where the square starts in the input, and its maximum in the output.
  template <class Function>
  void for_each_square(std::size_t samples, Function f) const {
    Shape const out = output();
    std::size_t to = 0;
    for (std::size_t sample = 0; sample < samples; ++sample) {
      for (std::size_t y = 0; y < out.height; ++y) {
        for (std::size_t x = 0; x < out.width; ++x, to += out.channels) {
          f(((sample * input_.height + 2 * y) * input_.width + 2 * x) * input_.channels, to);
        }
      }
    }
  }

  Shape input_;
};

}  // namespace weir_train
