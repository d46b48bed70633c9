#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/exec/threshold_policy.hpp"

namespace weir::inline v1 {

/// Threshold policy: bisection between the mean and the largest magnitude, three times at most.
///
/// Source: [fang2019], threshold binary search.
struct RedSync {
  static constexpr char const* name = "redsync";

  WEIR_HOST_DEVICE TrialVerdict start(TrialData const& data, Trial& trial) const {
    trial.low = 0.0;
    trial.high = 1.0;
    trial.threshold = between(data, 0.5);
    return TrialVerdict::retry;
  }

  WEIR_HOST_DEVICE TrialVerdict judge(TrialData const& data, Trial& trial, std::uint64_t count) const {
    if (data.k < count && count < 2 * data.k) return TrialVerdict::accept;
    double const middle = (trial.low + trial.high) / 2.0;
    (2 * count < data.k ? trial.high : trial.low) = middle;
    if (!(trial.high - trial.low > 0.2)) return TrialVerdict::accept;
    trial.threshold = between(data, (trial.low + trial.high) / 2.0);
    return TrialVerdict::retry;
  }

 private:
  WEIR_HOST_DEVICE static double between(TrialData const& data, double part) {
    return data.mean + rounded_product(part, data.largest - data.mean);
  }
};

}  // namespace weir::inline v1
