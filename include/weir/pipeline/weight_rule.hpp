#pragma once

#include <cstdint>

namespace weir::inline v1 {

/// Which weights a stage reads, and how many versions of them it keeps.
struct WeightRule {
  std::uint32_t delay = 0;  ///< updates between the weights that a gradient was taken at and those it changes
  std::uint32_t versions = 1;  ///< live at the same time

  /// The version that a micro-batch of the given period reads.
  constexpr std::uint32_t version(std::uint32_t period) const { return period < delay ? 0 : period - delay; }

  friend constexpr bool operator==(WeightRule const&, WeightRule const&) = default;
};

}  // namespace weir::inline v1
