#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// What to do with a bucket that holds a NaN or an infinity.
enum class NonFinitePolicy : std::uint8_t {
  skip,       // in this step it counts as nothing: its gradient as zero, its selection as empty
  propagate,  // what is not finite goes on, and is counted
  error,      // the step fails with `NonFiniteGradient`; on a device as `skip`, and `wait` throws
};

/// Whether a bucket with so many such elements sends nothing in this step.
WEIR_HOST_DEVICE constexpr bool is_skipped(NonFinitePolicy policy, std::uint64_t non_finite) {
  return policy != NonFinitePolicy::propagate && non_finite != 0;
}

}  // namespace weir::inline v1
