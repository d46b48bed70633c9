#pragma once

#include <cstdint>
#include <string>

#include "weir/core/number_text.hpp"
#include "weir/exec/sparsify_constants.hpp"
#include "weir/exec/threshold_adaptation.hpp"

namespace weir::inline v1 {

/// Lets the number of stages of each bucket follow how many slots were selected of those that were wanted.
///
/// Source: [abdelmoniem2021] for the rules greedy, turning and progressive; the one with a memory is ours.
template <StageRule rule = StageRule::memory>
struct AdaptiveStages {
  static constexpr std::uint32_t most = most_stages;

  double first_ratio = 0.25;  // the part that the first of several stages leaves
  /// Moves also that, a bucket's by 0.05 between 0.05 and 0.5, where half as many moves between stages as
  /// there are halvings down to the density have not brought as many slots as are wanted.
  bool moves_first_ratio = false;

  constexpr StageConstants constants() const {
    return {.count = StageCount::adaptive,
            .first_ratio = first_ratio,
            .rule = rule,
            .moves_first_ratio = moves_first_ratio};
  }
  std::string text() const {
    std::string text = "adaptive stages by rule " + std::to_string(static_cast<std::uint32_t>(rule));
    if (first_ratio != AdaptiveStages{}.first_ratio)
      text += ", first ratio " + detail::number_text(first_ratio);
    if (moves_first_ratio) text += ", which moves the first ratio";
    return text;
  }
};

}  // namespace weir::inline v1
