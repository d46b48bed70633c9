#pragma once

#include <cstdint>
#include <string>

#include "weir/core/number_text.hpp"
#include "weir/exec/sparsify_constants.hpp"
#include "weir/exec/threshold_adaptation.hpp"

namespace weir::inline v1 {

/// Fits as many thresholds one above the other as it takes when each stage after the first leaves the part
/// `ratio` of what the one before has left; the last takes what remains.
///
/// Source: the code of [abdelmoniem2021], with 0.2 for exponential and 0.075 for generalized Pareto fits.
struct FixedRatioStages {
  static constexpr std::uint32_t most = most_stages;

  double ratio = 0.1;
  double first_ratio = 0.25;

  constexpr StageConstants constants() const {
    return {.count = StageCount::ratio, .ratio = ratio, .first_ratio = first_ratio};
  }
  std::string text() const {
    std::string text = "stages of ratio " + detail::number_text(ratio);
    if (first_ratio != FixedRatioStages{}.first_ratio)
      text += ", first ratio " + detail::number_text(first_ratio);
    return text;
  }
};

}  // namespace weir::inline v1
