#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/exec/threshold_policy.hpp"

namespace weir::inline v1 {

/// Threshold policy: the threshold of a sample of one percent, lowered while too little exceeds it; where too
/// much does, exactly the k largest.
///
/// Source: [lin2018], whose implementation cuts off by index what is too much.
struct SampledTopK {
  static constexpr char const* name = "dgc";

  WEIR_HOST_DEVICE SampleRequest sample(TrialData const& data) const {
    std::uint64_t const percent = data.size / 100 + (data.size % 100 != 0 ? 1 : 0);
    std::uint64_t const least = ceiling(2.0 / data.density, data.size);
    std::uint64_t const wanted = percent > least ? percent : least;
    std::uint64_t const samples = wanted < data.size ? wanted : data.size;
    return {samples, ceiling(rounded_product(data.density, static_cast<double>(samples)), samples)};
  }

  WEIR_HOST_DEVICE TrialVerdict start(TrialData const& data, Trial& trial) const {
    trial.threshold = data.sampled;
    return TrialVerdict::retry;
  }

  WEIR_HOST_DEVICE TrialVerdict judge(TrialData const& data, Trial& trial, std::uint64_t count) const {
    constexpr std::uint32_t most_corrections = 10;
    double const quality = static_cast<double>(count) / static_cast<double>(data.k);
    if (3.0 * quality > 4.0) return TrialVerdict::exact;
    if (!(quality < 0.8) || trial.count == most_corrections) return TrialVerdict::accept;
    trial.threshold = rounded_product(trial.threshold, 0.8);
    return TrialVerdict::retry;
  }

 private:
  /// Within 1..most.
  WEIR_HOST_DEVICE static std::uint64_t ceiling(double x, std::uint64_t most) {
    if (!(x < static_cast<double>(most))) return most;
    std::uint64_t const whole = static_cast<std::uint64_t>(x);
    std::uint64_t const up = static_cast<double>(whole) < x ? whole + 1 : whole;
    return up < 1 ? 1 : up;
  }
};

}  // namespace weir::inline v1
