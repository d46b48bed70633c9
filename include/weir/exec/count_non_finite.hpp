#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/measurement.hpp"

namespace weir::inline v1 {

/// Adds what a measurement found to a running count.
struct CountNonFinite {
  Measurement const* measurement;
  std::uint64_t* seen;

  WEIR_HOST_DEVICE void operator()() const { *seen += measurement->non_finite; }
};

}  // namespace weir::inline v1
