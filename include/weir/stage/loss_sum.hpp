#pragma once

#include <cstddef>

namespace weir::inline v1 {

/// Losses summed over samples.
struct LossSum {
  double sum = 0.0;
  std::size_t samples = 0;

  double mean() const { return samples == 0 ? 0.0 : sum / static_cast<double>(samples); }
};

}  // namespace weir::inline v1
