#pragma once

#include <cstddef>
#include <string>

#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// Micro-batches count by their samples, so that ragged ones give the exact mean.
struct BySamples {
  static constexpr char const* name = "by samples";
  static void check(std::size_t, std::size_t, std::size_t) {}
};

/// All micro-batches are full; one that is not is refused, by its global index.
struct Equal {
  static constexpr char const* name = "equal";
  static void check(std::size_t micro_batch, std::size_t samples, std::size_t local_batch) {
    if (samples == local_batch) return;
    throw ContractViolation("micro-batch " + std::to_string(micro_batch) + " has " + std::to_string(samples) +
                            " samples, but the weighting Equal needs local batches of " +
                            std::to_string(local_batch));
  }
};

}  // namespace weir::inline v1
