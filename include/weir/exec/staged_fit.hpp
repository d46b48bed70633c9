#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/special.hpp"
#include "weir/exec/scaled_tail.hpp"
#include "weir/exec/stage_plan.hpp"
#include "weir/exec/tail_statistics.hpp"
#include "weir/exec/threshold_policy.hpp"

namespace weir::inline v1 {
namespace detail {

/// What a policy gives as a threshold: not below zero; what is no number selects nothing.
WEIR_HOST_DEVICE constexpr double usable_threshold(double t) {
  return t > 0.0 ? t : t == t ? 0.0 : infinity;
}

}  // namespace detail

/// Fits a threshold to magnitudes, and others, each to the excesses over the one before.
///
/// Source: [abdelmoniem2021]; excesses are taken over the threshold, not over the smallest of them.
template <class Policy>
class StagedFit {
 public:
  double threshold = 0.0;    // of the stages so far; in double
  std::uint32_t stages = 1;  // done

  /// For the part `ratio` of what is in `tail`, in `wanted` stages. Returns whether statistics of the
  /// excesses over `threshold` are needed next, as they are in the following.
  WEIR_HOST_DEVICE bool start(Policy const& policy, ScaledTail const& tail, double ratio,
                              StageConstants const& constants, std::uint32_t wanted, double first_ratio) {
    *this = {};
    scale_ = tail.scale;
    if constexpr (StagedThreshold<Policy>) plan_ = plan_stages(constants, wanted, first_ratio, ratio);
    bool const is_last = plan_.stages == 1;
    threshold = detail::usable_threshold(policy.fit(tail.tail, is_last ? ratio : first_ratio) / scale_);
    return !is_last;
  }

  WEIR_HOST_DEVICE bool resume(Policy const& policy, TailStatistics const& excess) {
    if constexpr (StagedThreshold<Policy>) {
      bool const has_spread =
          excess.participants >= 2 && excess.smallest < excess.largest && excess.variance() > 0.0;
      if (!has_spread) return false;
      double const further = detail::usable_threshold(policy.fit_excess(excess, plan_.ratio(stages)));
      threshold += further / scale_;
      ++stages;
    }
    return stages < plan_.stages;
  }

 private:
  StagePlan plan_ = {};
  double scale_ = 1.0;
};

}  // namespace weir::inline v1
