#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// Threshold policy: exactly the k largest magnitudes, of equal ones those with the smallest indices.
struct ExactTopK {
  static constexpr char const* name = "topk";
  static constexpr bool is_exact = true;

  WEIR_HOST_DEVICE std::uint64_t tolerance(std::uint64_t) const { return 0; }
};

}  // namespace weir::inline v1
