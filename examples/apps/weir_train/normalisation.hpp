#pragma once

#include <cmath>
#include <cstddef>

#include "layer.hpp"

namespace weir_train {

/// (1 + gain) x' + shift, where x' is a column less its mean, in units of its standard deviation.
/// Parameters: gain and shift, one behind the other.
template <class Real>
class Normalisation {
 public:
  explicit Normalisation(std::size_t width) : width_(static_cast<Index>(width)) {}

  static constexpr std::size_t parameters_each = 2;  // of a row

  /// Keeps x' in `normal`, and by what it was multiplied in `factor`.
  void forward(Real const* parameters, Real const* in, Real* normal, Real* factor, Real* out,
               Index columns) const {
    for (Index column = 0; column < columns; ++column) {
      Real const* const x = in + column * width_;
      Real* const n = normal + column * width_;
      Real* const y = out + column * width_;
      Real sum = 0, squares = 0;
      for (Index i = 0; i < width_; ++i) sum += x[i];
      Real const mean = sum / static_cast<Real>(width_);
      for (Index i = 0; i < width_; ++i) squares += (x[i] - mean) * (x[i] - mean);
      factor[column] = 1 / std::sqrt(squares / static_cast<Real>(width_) + Real(1e-5));
      for (Index i = 0; i < width_; ++i) {
        n[i] = (x[i] - mean) * factor[column];
        y[i] = (1 + parameters[i]) * n[i] + parameters[width_ + i];
      }
    }
  }

  /// Adds to the gradients of the parameters and, unless null, of the input. Changes `delta`.
  void backward(Real const* parameters, Real const* normal, Real const* factor, Real* delta,
                Real* parameter_gradients, Real* in_delta, Index columns) const {
    for (Index column = 0; column < columns; ++column) {
      Real const* const n = normal + column * width_;
      Real* const d = delta + column * width_;
      Real sum = 0, along = 0;
      for (Index i = 0; i < width_; ++i) {
        parameter_gradients[i] += d[i] * n[i];
        parameter_gradients[width_ + i] += d[i];
        d[i] *= 1 + parameters[i];
        sum += d[i];
        along += d[i] * n[i];
      }
      if (in_delta == nullptr) continue;
      sum /= static_cast<Real>(width_);
      along /= static_cast<Real>(width_);
      Real* const to = in_delta + column * width_;
      for (Index i = 0; i < width_; ++i) to[i] += factor[column] * (d[i] - sum - n[i] * along);
    }
  }

 private:
  Index width_;
};

}  // namespace weir_train
