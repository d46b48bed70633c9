#pragma once

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/core/special.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

/// Threshold policy: magnitudes are exponential, so gradients double exponential (Laplace).
///
/// Source: [abdelmoniem2021].
struct Exponential {
  static constexpr char const* name = "exponential";
  static constexpr bool uses_logarithms = false;

  WEIR_HOST_DEVICE double fit(TailStatistics const& tail, double ratio) const {
    return rounded_product(tail.mean(), -ln(ratio));
  }
  WEIR_HOST_DEVICE double fit_excess(TailStatistics const& excess, double ratio) const {
    return fit(excess, ratio);
  }
};

}  // namespace weir::inline v1
