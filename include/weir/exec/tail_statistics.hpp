#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/exec/non_finite_policy.hpp"

namespace weir::inline v1 {

/// What the estimators of a threshold need of the magnitudes x of a vector: of its participants, which are
/// finite and not 0. Sums are taken in a fixed order and in double.
struct TailStatistics {
  std::uint64_t non_finite = 0;    // elements that are NaN or infinite
  std::uint64_t participants = 0;  // n
  double smallest = 0.0;           // magnitude of a participant; 0 where there is none, as is the largest
  double largest = 0.0;
  double sum = 0.0;                 // of x
  double squared_deviations = 0.0;  // sum of (x - mean)^2, not from the difference of two large sums
  double sum_of_logarithms = 0.0;   // of ln x

  /// Of a step that is skipped whatever the vector holds.
  WEIR_HOST_DEVICE static constexpr TailStatistics of_skipped() {
    TailStatistics tail;
    tail.largest = -1.0;
    return tail;
  }
  WEIR_HOST_DEVICE constexpr bool is_of_skipped() const { return largest < 0.0; }

  /// 0 where there is no participant.
  WEIR_HOST_DEVICE double mean() const {
    return participants == 0 ? 0.0 : sum / static_cast<double>(participants);
  }

  /// Unbiased; 0 of fewer than two participants.
  WEIR_HOST_DEVICE double variance() const {
    return participants < 2 ? 0.0 : squared_deviations / static_cast<double>(participants - 1);
  }

  /// Of x^2.
  WEIR_HOST_DEVICE double sum_of_squares() const { return squared_deviations + rounded_product(sum, mean()); }
};

/// Whether a rank with such a bucket sends anything of it.
WEIR_HOST_DEVICE constexpr bool takes_part(NonFinitePolicy policy, TailStatistics const& tail) {
  return !tail.is_of_skipped() && !is_skipped(policy, tail.non_finite);
}

/// Of the buckets of all ranks that take part in a step: those that send nothing of theirs do not.
struct SharedTail {
  TailStatistics tail = {};
  std::uint64_t ranks = 0;  // that take part
};

}  // namespace weir::inline v1
