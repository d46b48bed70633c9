#pragma once

#include "weir/compress/threshold/gamma.hpp"
#include "weir/compress/threshold/generalized_pareto.hpp"
#include "weir/core/host_device.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

/// Threshold policy: a gamma distribution for the first stage, generalized Pareto for the excesses.
///
/// Source: [abdelmoniem2021].
struct GammaPareto {
  static constexpr char const* name = "gamma-pareto";

  WEIR_HOST_DEVICE double fit(TailStatistics const& tail, double ratio) const {
    return Gamma{}.fit(tail, ratio);
  }
  WEIR_HOST_DEVICE double fit_excess(TailStatistics const& excess, double ratio) const {
    return GeneralizedPareto{}.fit(excess, ratio);
  }
};

}  // namespace weir::inline v1
