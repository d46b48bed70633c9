#pragma once

#include <cstdint>

namespace weir::inline v1 {

/// Where the k workers of a device read the weights, and when an update reaches them.
enum class WeightPolicy : std::uint8_t {
  shared,      // one copy for all
  sequential,  // k copies: all collectives, then the whole update, then the copies
  overlap,     // k copies: update and copies of each bucket as soon as its collective has ended
};

constexpr char const* name_of(WeightPolicy policy) {
  switch (policy) {
    case WeightPolicy::shared:
      return "shared";
    case WeightPolicy::sequential:
      return "sequential";
    case WeightPolicy::overlap:
      return "overlap";
  }
  return "unknown";
}

}  // namespace weir::inline v1
