#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "dense_matrices.hpp"
#include "layer.hpp"
#include "sequence.hpp"
#include "two_products.hpp"

namespace weir_train {

/// A gated recurrent unit over the rows of an image, first to last, starting from zeros: of width H,
///
///     r = sigmoid(W_r x + U_r h + b_r)    n = tanh(W_n x + b_n + r (U_n h + c))
///     z = sigmoid(W_z x + U_z h + b_z)    h' = (1 - z) n + z h
///
/// What it gives is h after every row, or after the last one only. Parameters: the rows of W_r, W_z, W_n,
/// then those of U_r, U_z, U_n; and b_r, b_z, b_n, c.
template <class Real, class Matrices = DenseMatrices<Real>>
class Recurrence final : public TwoProducts<Real, Matrices> {
 public:
  enum class Gives { every_state, last_state };

  /// `make` makes the matrices.
  template <class Make>
  Recurrence(Shape input, std::size_t width, Gives gives, Make& make)
      : Recurrence(input, width, gives, 1.0 / std::sqrt(static_cast<double>(width)), make) {}

  Shape input() const override { return input_; }
  Shape output() const override {
    return {gives_ == Gives::every_state ? input_.height : 1, 1, static_cast<std::size_t>(width_)};
  }
  std::size_t scratch(std::size_t samples) const override {
    Index const spare = std::max(first().spare(), second().spare());
    return static_cast<std::size_t>((steps_ * kept + worked_on) * width_ + spare) * samples;
  }
  std::size_t cost() const override { return static_cast<std::size_t>(steps_) * matrices(); }

  void forward(LayerPass<Real> const& pass) const override {
    Workplace const at(*this, pass);
    Real const* const bias = pass.parameters[1];
    for (Index step = 0; step < steps_; ++step) {
      first().multiply(pass.parameters[0], row(pass.in, step, at.samples), at.from_input());
      if (step > 0) {
        second().multiply(pass.parameters[0] + behind_first(), at.state(step - 1), at.from_state());
      } else {
        at.from_state().setZero();
      }
      for (Index sample = 0; sample < at.samples; ++sample) {
        Real const* const x = at.from_input().col(sample).data();
        Real const* const h = at.from_state().col(sample).data();
        for (Index i = 0; i < width_; ++i) {
          Real const reset = sigmoid(x[i] + h[i] + bias[i]);
          Real const keep = sigmoid(x[width_ + i] + h[width_ + i] + bias[width_ + i]);
          Real const recalled = h[2 * width_ + i] + bias[3 * width_ + i];
          Real const candidate = std::tanh(x[2 * width_ + i] + bias[2 * width_ + i] + reset * recalled);
          Real const before = step > 0 ? at.state(step - 1)(i, sample) : Real{0};
          at.reset(step)(i, sample) = reset;
          at.keep(step)(i, sample) = keep;
          at.recalled(step)(i, sample) = recalled;
          at.candidate(step)(i, sample) = candidate;
          at.state(step)(i, sample) = (1 - keep) * candidate + keep * before;
        }
      }
      if (gives(step)) given(pass.out, step, at.samples) = at.state(step);
    }
  }

  void backward(LayerPass<Real> const& pass) const override {
    Workplace const at(*this, pass);
    prepare_gradients(pass, matrices(), vectors());
    at.state_delta().setZero();
    for (Index step = steps_ - 1; step >= 0; --step) {
      if (gives(step)) at.state_delta() += given(pass.out_delta, step, at.samples);
      differentiate_gates(at, step, pass.gradients[1]);
      first().weight_gradient(row(pass.in, step, at.samples), at.from_input(), pass.gradients[0], true);
      if (pass.in_delta != nullptr)
        first().multiply_transposed(pass.parameters[0], at.from_input(), row(pass.in_delta, step, at.samples),
                                    false, at.spare());
      if (step == 0) break;  // before it lie zeros
      second().weight_gradient(at.state(step - 1), at.from_state(), pass.gradients[0] + behind_first(), true);
      second().multiply_transposed(pass.parameters[0] + behind_first(), at.from_state(), at.state_delta(),
                                   true, at.spare());
    }
  }

 private:
  using Base = TwoProducts<Real, Matrices>;
  using Base::behind_first, Base::first, Base::matrices, Base::second, Base::vectors;

  template <class Make>
  Recurrence(Shape input, std::size_t width, Gives gives, double bound, Make& make)
      : Base{make.matrices(input.width * input.channels, width, 3, bound),
             make.matrices(width, width, 3, bound), 4 * width, bound},
        input_(input),
        width_(static_cast<Index>(width)),
        features_(static_cast<Index>(input.width * input.channels)),
        steps_(static_cast<Index>(input.height)),
        gives_(gives) {}

  static constexpr Index kept = 5;  // of each step: the gates, what is recalled, the candidate, the state
  static constexpr Index worked_on =
      7;  // the two products of three gates each, or their deltas; a delta of h

  /// The pieces of the scratch memory, each a column per sample.
  struct Workplace {
    Workplace(Recurrence const& layer, LayerPass<Real> const& pass)
        : samples(static_cast<Index>(pass.samples)),
          width_(layer.width_),
          products_(pass.scratch + layer.steps_ * kept * width_ * samples),
          kept_(pass.scratch) {}

    Strided<Real> reset(Index step) const { return of_step(step, 0); }
    Strided<Real> keep(Index step) const { return of_step(step, 1); }
    Strided<Real> recalled(Index step) const { return of_step(step, 2); }
    Strided<Real> candidate(Index step) const { return of_step(step, 3); }
    Strided<Real> state(Index step) const { return of_step(step, 4); }

    Strided<Real> from_input() const { return columns(products_, 3 * width_); }
    Strided<Real> from_state() const { return columns(products_ + 3 * width_ * samples, 3 * width_); }
    Strided<Real> state_delta() const { return columns(products_ + 6 * width_ * samples, width_); }
    Real* spare() const { return products_ + worked_on * width_ * samples; }

    Index samples;

   private:
    Strided<Real> of_step(Index step, Index piece) const {
      return columns(kept_ + (step * kept + piece) * width_ * samples, width_);
    }
    Strided<Real> columns(Real* data, Index rows) const {
      return {data, rows, samples, Eigen::OuterStride<>(rows)};
    }

    Index width_;
    Real* products_;
    Real* kept_;
  };

  static Real sigmoid(Real x) { return 1 / (1 + std::exp(-x)); }

  bool gives(Index step) const { return gives_ == Gives::every_state || step + 1 == steps_; }

  /// From the gradient of a step's state to those of the products, and of what the state before adds
  /// directly.
  void differentiate_gates(Workplace const& at, Index step, Real* bias_gradient) const {
    for (Index sample = 0; sample < at.samples; ++sample) {
      Real* const x = at.from_input().col(sample).data();
      Real* const h = at.from_state().col(sample).data();
      for (Index i = 0; i < width_; ++i) {
        Real const reset = at.reset(step)(i, sample);
        Real const keep = at.keep(step)(i, sample);
        Real const candidate = at.candidate(step)(i, sample);
        Real const before = step > 0 ? at.state(step - 1)(i, sample) : Real{0};
        Real const delta = at.state_delta()(i, sample);
        Real const to_candidate = delta * (1 - keep) * (1 - candidate * candidate);
        x[i] = h[i] = to_candidate * at.recalled(step)(i, sample) * reset * (1 - reset);
        x[width_ + i] = h[width_ + i] = delta * (before - candidate) * keep * (1 - keep);
        x[2 * width_ + i] = to_candidate;
        h[2 * width_ + i] = to_candidate * reset;
        for (Index gate = 0; gate < 3; ++gate) bias_gradient[gate * width_ + i] += x[gate * width_ + i];
        bias_gradient[3 * width_ + i] += h[2 * width_ + i];
        at.state_delta()(i, sample) = delta * keep;
      }
    }
  }

  /// A row of every image.
  ConstStrided<Real> row(Real const* images, Index step, Index samples) const {
    return {images + step * features_, features_, samples, Eigen::OuterStride<>(steps_ * features_)};
  }
  Strided<Real> row(Real* images, Index step, Index samples) const {
    return {images + step * features_, features_, samples, Eigen::OuterStride<>(steps_ * features_)};
  }

  /// What a step gives, of every sample.
  Strided<Real> given(Real* out, Index step, Index samples) const {
    Index const per_sample = static_cast<Index>(output().size());
    Index const place = gives_ == Gives::every_state ? step * width_ : 0;
    return {out + place, width_, samples, Eigen::OuterStride<>(per_sample)};
  }

  Shape input_;
  Index width_;
  Index features_;
  Index steps_;
  Gives gives_;
};

}  // namespace weir_train
