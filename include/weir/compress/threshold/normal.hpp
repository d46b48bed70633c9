#pragma once

#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/core/host_device.hpp"
#include "weir/core/normal_quantile.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/core/square_root.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

/// Threshold policy: gradients are normal with mean zero, so magnitudes half-normal. Later stages fit a
/// generalized Pareto distribution to the excesses.
struct Normal {
  static constexpr char const* name = "normal";
  static constexpr bool uses_logarithms = false;

  WEIR_HOST_DEVICE double fit(TailStatistics const& tail, double ratio) const {
    return fit_from(0.0, tail, ratio);
  }
  WEIR_HOST_DEVICE double fit_excess(TailStatistics const& excess, double ratio) const {
    return GeneralizedPareto{}.fit(excess, ratio);
  }

  /// Of the magnitudes less `origin`, counted from zero.
  WEIR_HOST_DEVICE static double fit_from(double origin, TailStatistics const& tail, double ratio) {
    double const offset = tail.mean() - origin;
    double const spread = tail.squared_deviations / static_cast<double>(tail.participants);
    double const mean_square = spread + rounded_product(offset, offset);
    return origin + rounded_product(v1::square_root(mean_square), -normal_quantile(ratio / 2.0));
  }
};

}  // namespace weir::inline v1
