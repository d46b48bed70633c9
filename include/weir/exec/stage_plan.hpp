#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/core/special.hpp"
#include "weir/exec/sparsify_constants.hpp"
#include "weir/exec/threshold_adaptation.hpp"

namespace weir::inline v1 {

/// How an upper-tail probability is divided among the stages of a fit: the product of the first ratio and
/// those of the later stages is that probability.
struct StagePlan {
  std::uint32_t stages = 1;
  double later = 1.0;  // ratio of the second stage and each that follows but for the last
  double last = 1.0;   // ratio of the last of several stages

  /// Of the stage after `done` others, of which there is at least one.
  WEIR_HOST_DEVICE double ratio(std::uint32_t done) const { return done + 1 == stages ? last : later; }
};

/// `wanted`: how many stages, unless the ratio is fixed. One stage where the first would leave fewer than are
/// wanted.
WEIR_HOST_DEVICE inline StagePlan plan_stages(StageConstants const& constants, std::uint32_t wanted,
                                              double first_ratio, double probability) {
  if (!(probability < first_ratio)) return {};
  double const rest = probability / first_ratio;
  if (constants.count != StageCount::ratio) {
    if (wanted <= 1) return {};
    double const each = exp(ln(rest) / static_cast<double>(wanted - 1));
    return {wanted, each, each};
  }
  double const needed = ln(rest) / ln(constants.ratio) - 1e-9;
  StagePlan plan{2, constants.ratio, rest};
  while (plan.stages < most_stages && static_cast<double>(plan.stages - 1) < needed) {
    plan.last /= constants.ratio;
    ++plan.stages;
  }
  return plan;
}

}  // namespace weir::inline v1
