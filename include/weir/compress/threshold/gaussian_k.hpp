#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/normal_quantile.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/exec/threshold_policy.hpp"

namespace weir::inline v1 {

/// Threshold policy: the quantile of a normal distribution with the mean and deviation of the magnitudes,
/// corrected twice at most.
///
/// Source: [shi2019].
struct GaussianK {
  static constexpr char const* name = "gaussian-k";

  WEIR_HOST_DEVICE TrialVerdict start(TrialData const& data, Trial& trial) const {
    double const ratio = static_cast<double>(data.k) / (2.0 * static_cast<double>(data.size));
    trial.threshold = data.mean + rounded_product(data.deviation, -normal_quantile(ratio));
    return TrialVerdict::retry;
  }

  WEIR_HOST_DEVICE TrialVerdict judge(TrialData const& data, Trial& trial, std::uint64_t count) const {
    constexpr std::uint32_t most_corrections = 2;
    double const selected = 3.0 * static_cast<double>(count);
    double const k = static_cast<double>(data.k);
    bool const is_good = 2.0 * k <= selected && selected <= 4.0 * k;
    if (is_good || trial.count == most_corrections) return TrialVerdict::accept;
    trial.threshold = rounded_product(trial.threshold, selected < 2.0 * k ? 0.5 : 1.5);
    return TrialVerdict::retry;
  }
};

}  // namespace weir::inline v1
