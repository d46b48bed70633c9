#pragma once

#include <cstddef>

#include "weir/core/host_device.hpp"
#include "weir/exec/gradient_control.hpp"
#include "weir/exec/measurement.hpp"

namespace weir::inline v1 {

/// Adds up what was measured of several vectors, each times `scale`. NaN if one has an element that is not
/// finite.
struct SumOfSquares {
  Measurement const* measurements;
  std::size_t count;
  GradientScale scale;
  double* sum;

  WEIR_HOST_DEVICE void operator()() const {
    double total = 0.0;
    bool finite = true;
    for (std::size_t i = 0; i < count; ++i) {
      total += measurements[i].sum_of_squares;
      finite = finite && measurements[i].non_finite == 0;
    }
    double const factor = scale.factor();
    *sum = finite ? total * factor * factor : __builtin_nan("");
  }
};

}  // namespace weir::inline v1
