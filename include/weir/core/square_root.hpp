#pragma once

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// Correctly rounded on host and device, so the same bits everywhere; without <cmath>, which is more to
/// compile than all of `core`.
WEIR_HOST_DEVICE inline double square_root(double x) {
#if defined(__CUDA_ARCH__)
  return __dsqrt_rn(x);
#else
  return __builtin_sqrt(x);
#endif
}

}  // namespace weir::inline v1
