#pragma once

#include <cstdint>
#include <string>

#include "weir/core/number_text.hpp"
#include "weir/exec/sparsify_constants.hpp"

namespace weir::inline v1 {

/// Fits so many thresholds one above the other, each to what exceeds the one before. All stages after the
/// first leave the same part. Where the density is not below the first stage's part, one is enough.
///
/// Source: [abdelmoniem2021]
template <std::uint32_t stages = 1>
struct FixedStages {
  static_assert(1 <= stages, "a threshold is fitted in at least one stage");
  static constexpr std::uint32_t most = stages;

  double first_ratio = 0.25;  // the part that the first of several stages leaves

  constexpr StageConstants constants() const {
    return {.count = StageCount::fixed, .stages = stages, .first_ratio = first_ratio};
  }
  std::string text() const {
    if constexpr (stages == 1) return "1 stage";
    std::string text = std::to_string(stages) + " stages";
    if (first_ratio != FixedStages{}.first_ratio) text += ", first ratio " + detail::number_text(first_ratio);
    return text;
  }
};

}  // namespace weir::inline v1
