#pragma once

#include <cstdint>
#include <string>

#include "weir/core/error.hpp"
#include "weir/exec/sparsify_constants.hpp"

namespace weir::inline v1 {

/// Keeps a threshold for several steps, which saves estimating it: `.reuse = ThresholdReuse{}`. After each
/// step it becomes t * q^gain, where q is how many times too many were selected. It is estimated anew after
/// `interval` steps, and at once when q is not within [0.5, 2] or the selection does not fit.
///
/// A gain above 0.02 makes thresholds of small densities swing.
struct ThresholdReuse {
  std::uint32_t interval = 32;
  double gain = 0.02;

  /// Errors: `ContractViolation` for an interval of 0 or a gain outside [0, 1].
  operator ReuseConstants() const {
    if (interval == 0) throw ContractViolation("ThresholdReuse: interval is 0, it has to be at least 1");
    if (!(gain >= 0.0 && gain <= 1.0))
      throw ContractViolation("ThresholdReuse: gain is " + std::to_string(gain) +
                              ", it has to be within [0, 1]");
    return {interval, gain};
  }
};

}  // namespace weir::inline v1
