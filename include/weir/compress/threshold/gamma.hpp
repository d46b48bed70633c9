#pragma once

#include "weir/compress/threshold/normal.hpp"
#include "weir/core/gamma.hpp"
#include "weir/core/host_device.hpp"
#include "weir/core/normal_quantile.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/core/special.hpp"
#include "weir/core/square_root.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

namespace detail {

/// ln of the mean less the mean of ln: 0 for constant magnitudes.
WEIR_HOST_DEVICE inline double log_spread(TailStatistics const& tail) {
  return ln(tail.mean()) - tail.sum_of_logarithms / static_cast<double>(tail.participants);
}

/// Too narrow for a shape to be told from `log_spread`.
WEIR_HOST_DEVICE inline bool is_narrow(double spread) {
  return !(spread >= 1e-9 && spread < infinity);
}

/// The shape of the gamma distribution with that `log_spread`, to some percent.
WEIR_HOST_DEVICE inline double gamma_shape(double spread) {
  double const root =
      v1::square_root(rounded_product(spread - 3.0, spread - 3.0) + rounded_product(24.0, spread));
  return (3.0 - spread + root) / rounded_product(12.0, spread);
}

}  // namespace detail

/// Threshold policy: magnitudes are gamma distributed; the quantile is solved for. One stage.
///
/// Narrow data, from which no shape can be told, is taken as half-normal above its smallest magnitude.
/// Source: [abdelmoniem2021], with the exact quantile instead of the approximate one.
struct Gamma {
  static constexpr char const* name = "gamma";

  WEIR_HOST_DEVICE double fit(TailStatistics const& tail, double ratio) const {
    double const spread = detail::log_spread(tail);
    if (detail::is_narrow(spread)) return Normal::fit_from(tail.smallest, tail, ratio);
    double const shape = detail::gamma_shape(spread);
    return rounded_product(tail.mean() / shape, upper_gamma_quantile(shape, ratio));
  }
};

}  // namespace weir::inline v1
