#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/square_root.hpp"

namespace weir::inline v1 {

/// How the learning rate follows the global batch.
enum class BatchScaling : std::uint8_t {
  none,
  linear,       // as the batch
  square_root,  // as its root
};

/// A learning rate for batches that change. It is computed from `base` every time and never from an earlier
/// rate, so that it does not drift: a batch that comes back has the same rate, bit for bit.
/// Source: [iidp], which multiplies and divides; [goyal2017] for the warm-up.
struct LearningRate {
  double base = 0.1;
  BatchScaling rule = BatchScaling::linear;
  std::size_t reference_batch = 1;  // GBS0, the global batch that `base` is for
  double warmup_epochs = 0;         // until the factor is reached; 0: at once

  /// For a global batch, when the warm-up is over.
  double factor(std::size_t global_batch) const {
    if (rule == BatchScaling::none) return 1;
    double const ratio = static_cast<double>(global_batch) / static_cast<double>(reference_batch);
    return rule == BatchScaling::square_root ? square_root(ratio) : ratio;
  }

  /// `schedule` is the factor that the user's schedule has at `epoch`, which may be in the middle of one.
  double at(double epoch, std::size_t global_batch, double schedule = 1) const {
    double const progress = epoch < warmup_epochs ? epoch / warmup_epochs : 1;
    return base * schedule * (1 + (factor(global_batch) - 1) * progress);
  }
};

}  // namespace weir::inline v1
