#pragma once

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/core/special.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

/// Threshold policy: magnitudes follow a generalized Pareto distribution, fitted by mean and variance. Shape
/// 0 is the exponential distribution, below 0 the magnitudes are bounded.
///
/// Source: [abdelmoniem2021]; excesses are taken over the threshold before, not over the smallest excess.
struct GeneralizedPareto {
  static constexpr char const* name = "generalized-pareto";
  static constexpr bool uses_logarithms = false;

  WEIR_HOST_DEVICE double fit(TailStatistics const& tail, double ratio) const {
    return quantile(tail.mean(), tail.variance(), ratio);
  }
  WEIR_HOST_DEVICE double fit_excess(TailStatistics const& excess, double ratio) const {
    return fit(excess, ratio);
  }

  /// What the part `ratio` of such a distribution with this mean and variance exceeds.
  WEIR_HOST_DEVICE static double quantile(double mean, double variance, double ratio) {
    // mean^2 / variance, where the square would be lost.
    double const relative = rounded_product(mean / variance, mean);
    if (!(relative < 1e300)) return mean;  // no spread
    double const shape = (1.0 - relative) / 2.0;
    double const scale = rounded_product(mean, (1.0 + relative) / 2.0);
    double const depth = -ln(ratio);
    if (-1e-8 < shape && shape < 1e-8) return rounded_product(scale, depth);
    return rounded_product(scale, expm1(rounded_product(shape, depth)) / shape);
  }
};

}  // namespace weir::inline v1
