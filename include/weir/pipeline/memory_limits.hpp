#pragma once

#include <cstdint>

namespace weir::inline v1 {

/// What each worker may hold at most at a time.
struct MemoryLimits {
  std::uint64_t activations = UINT64_MAX;      ///< chunks
  std::uint64_t weight_versions = UINT64_MAX;  ///< summed over its stages
  std::uint64_t messages =
      UINT64_MAX;  ///< sent and not yet received, on each of its edges, if none waits for room
  std::uint64_t bytes = UINT64_MAX;  ///< of weights and activations, as `stage_bytes` says
};

}  // namespace weir::inline v1
