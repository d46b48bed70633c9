#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// Threshold policy, the default: the k-th largest magnitude to within one percent of k, from counts of
/// canonical bins, whatever the distribution. Exactly k below 100.
struct Histogram {
  static constexpr char const* name = "histogram";
  static constexpr bool is_exact = false;

  WEIR_HOST_DEVICE std::uint64_t tolerance(std::uint64_t k) const { return k / 100; }
};

}  // namespace weir::inline v1
