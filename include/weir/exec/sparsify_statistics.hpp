#pragma once

#include <cstdint>

namespace weir::inline v1 {

enum class SparsifyStatus : std::uint32_t {
  none,      // nothing has run yet
  selected,  // also where there was nothing to select
  skipped,   // a NaN or an infinity, or a step that updates nothing: nothing is sent, no state has moved
  failed,    // the same under `NonFinitePolicy::error`
};

/// What one sparsification of a bucket has done.
struct SparsifyStatistics {
  SparsifyStatus status = SparsifyStatus::none;
  std::uint32_t stages = 0;         // thresholds computed; levels of the histogram; else 1
  std::uint32_t has_threshold = 0;  // not 0: `threshold` means something
  std::uint32_t was_reused = 0;     // not 0: the threshold is that of an earlier step
  std::uint64_t size = 0;           // N
  std::uint64_t participants = 0;   // finite and not 0
  std::uint64_t non_finite = 0;
  std::uint64_t k_target = 0;
  std::uint64_t k_selected = 0;
  std::uint64_t overflow = 0;  // wanted, but beyond the capacity
  double threshold = 0.0;      // a number of the accumulator's type
  double quality = 1.0;        // k_selected / k_target, 1 where k_target is 0
};

}  // namespace weir::inline v1
