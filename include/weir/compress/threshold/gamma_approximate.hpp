#pragma once

#include "weir/compress/threshold/gamma.hpp"
#include "weir/core/gamma.hpp"
#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/core/special.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

/// Threshold policy: as `Gamma`, with the published approximation of the quantile, which is biased. One
/// stage.
///
/// Source: [abdelmoniem2021].
struct GammaApproximate {
  static constexpr char const* name = "gamma-approximate";

  WEIR_HOST_DEVICE double fit(TailStatistics const& tail, double ratio) const {
    double const spread = detail::log_spread(tail);
    if (detail::is_narrow(spread)) return Normal::fit_from(tail.smallest, tail, ratio);
    double const shape = detail::gamma_shape(spread);
    double const threshold = rounded_product(tail.mean() / shape, -(ln(ratio) + ln_gamma(shape)));
    return threshold > 0.0 ? threshold : 0.0;
  }
};

}  // namespace weir::inline v1
