#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/core/square_root.hpp"
#include "weir/exec/gradient_control.hpp"
#include "weir/exec/measurement.hpp"

namespace weir::inline v1 {

/// Decides by what a gradient is multiplied so that its norm does not exceed `max_norm`.
struct ClipStep {
  Measurement const* measurements;  // of the buckets that together make the gradient
  std::size_t count;
  GradientScale scale;  // what the buckets are still to be multiplied by
  double max_norm;
  GradientControl* control;  // takes the place of that in `scale`
  double* norm;              // before clipping

  WEIR_HOST_DEVICE void operator()() const {
    double sum = 0.0;
    bool finite = true;
    for (std::size_t i = 0; i < count; ++i) {
      sum += measurements[i].sum_of_squares;
      finite = finite && measurements[i].non_finite == 0;
    }
    GradientControl const before = scale.control != nullptr ? *scale.control : GradientControl{};
    double const factor = scale.value * before.factor;
    *norm = finite ? square_root(sum) * (factor < 0 ? -factor : factor) : __builtin_inf();
    *control = before;
    if (*norm > max_norm) control->factor = before.factor * (max_norm / *norm);
  }
};

}  // namespace weir::inline v1
