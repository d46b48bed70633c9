#pragma once

#include <cstddef>

namespace weir::inline v1 {

/// What one device does in a step, by phase; T(m) of a step with m micro-batches follows. Units: seconds.
struct StepPhases {
  double data = 0;         // D, of one micro-batch on each worker
  double buffers = 0;      // Z, once a step
  double forward = 0;      // Tf
  double backward = 0;     // Tb
  double hidden = 0;       // A_0 + .. + A_{L-2}, the collectives that overlap with the last backward pass
  double last_bucket = 0;  // A_{L-1}
  double update = 0;       // X, of all weights, with their copies
  double exposed = 0;      // h, the share of X that nothing hides

  /// With one micro-batch per worker.
  double first() const {
    return data + buffers + forward + (backward > hidden ? backward : hidden) + last_bucket +
           update * exposed;
  }
  /// For each further micro-batch.
  double further() const { return data + forward + backward; }
  double seconds(std::size_t micro_batches) const {
    return first() + static_cast<double>(micro_batches - 1) * further();
  }
  /// When the last backward pass starts.
  double last_backward(std::size_t micro_batches) const {
    return data + buffers + forward + static_cast<double>(micro_batches - 1) * further();
  }
};

}  // namespace weir::inline v1
