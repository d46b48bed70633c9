#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/exec/gradient_control.hpp"
#include "weir/exec/measurement.hpp"
#include "weir/exec/number_math.hpp"

namespace weir::inline v1 {

/// The sum of squares of a rank's gradient, of its finite elements, with what they are still to be multiplied
/// by.
struct LocalNormStep {
  Measurement const* measurements;  // of the buckets that together make the gradient
  std::size_t count;
  GradientScale scale;
  double* sum;

  WEIR_HOST_DEVICE void operator()() const {
    double total = 0.0;
    for (std::size_t i = 0; i < count; ++i) total += measurements[i].sum_of_squares;
    *sum = total * scale.factor() * scale.factor();
  }
};

/// Decides by what a rank's gradient is multiplied so that its norm does not exceed `max_norm`.
struct LocalClipStep {
  double const* sum;  // of squares, of `ranks` ranks
  double ranks;
  double max_norm;
  GradientControl const* before;
  GradientControl* control;  // takes the place of `before`
  double* norm;              // before clipping: the root of the mean over the ranks of the squared norm

  WEIR_HOST_DEVICE void operator()() const {
    NumberMath::square_root(*sum / ranks, *norm);
    *control = before != nullptr ? *before : GradientControl{};
    if (*norm > max_norm) control->factor *= max_norm / *norm;
  }
};

}  // namespace weir::inline v1
