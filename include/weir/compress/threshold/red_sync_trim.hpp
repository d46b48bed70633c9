#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/exec/threshold_policy.hpp"

namespace weir::inline v1 {

/// Threshold policy: from 0.8 of the way from the mean to the largest magnitude down in steps of 0.2, until
/// enough exceeds it.
///
/// Source: [fang2019], trimmed top-k.
struct RedSyncTrim {
  static constexpr char const* name = "redsync-trim";

  WEIR_HOST_DEVICE TrialVerdict start(TrialData const& data, Trial& trial) const {
    return lower(data, trial, 0);
  }

  WEIR_HOST_DEVICE TrialVerdict judge(TrialData const& data, Trial& trial, std::uint64_t count) const {
    return count >= data.k ? TrialVerdict::accept : lower(data, trial, trial.count + 1);
  }

 private:
  WEIR_HOST_DEVICE static TrialVerdict lower(TrialData const& data, Trial& trial, std::uint32_t step) {
    double const part = (4.0 - step) / 5.0;
    double const threshold = data.mean + rounded_product(part, data.largest - data.mean);
    trial.threshold = threshold > 0.0 ? threshold : 0.0;
    return threshold > 0.0 ? TrialVerdict::retry : TrialVerdict::take;
  }
};

}  // namespace weir::inline v1
