#pragma once

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// What a model multiplies the gradient of its mean loss by, where a part of it is known only when the
/// model's kernels run: they take it by value and call `value()`.
struct LossFactor {
  double share = 1.0;             // the samples of the micro-batch over those of a full one
  double const* scale = nullptr;  // of a loss-scaling stage, in the executor's memory, or null

  /// Reads the executor's memory.
  WEIR_HOST_DEVICE double value() const { return scale == nullptr ? share : share * *scale; }
};

}  // namespace weir::inline v1
