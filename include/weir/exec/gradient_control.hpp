#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// What stages that look at a whole step decide about it, kept where the executor's kernels can read it, so
/// that a captured graph follows it.
struct GradientControl {
  double factor = 1.0;     // multiplies the gradient, e.g. a clipping coefficient
  std::uint32_t skip = 0;  // not 0: the step updates nothing
};

/// The factor that is still to be applied to a gradient: `value` times that of `control`, where there is one.
struct GradientScale {
  double value = 1.0;
  GradientControl const* control = nullptr;  // in the executor's memory

  // Both read the executor's memory.
  WEIR_HOST_DEVICE double factor() const { return control == nullptr ? value : value * control->factor; }
  WEIR_HOST_DEVICE bool skip() const { return control != nullptr && control->skip != 0; }
};

}  // namespace weir::inline v1
