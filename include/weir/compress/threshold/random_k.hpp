#pragma once

#include <cstdint>
#include <string>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// Threshold policy: k slots drawn by chance, zeros too. They depend on seed, bucket and step alone, so that
/// they are the same on all ranks and no indices need to travel.
struct RandomK {
  static constexpr char const* name = "random-k";
  bool is_unbiased = false;  // values are multiplied by N over their number; not with a memory

  WEIR_HOST_DEVICE double factor(std::uint64_t size, std::uint64_t k) const {
    return is_unbiased && k != 0 ? static_cast<double>(size) / static_cast<double>(k) : 1.0;
  }

  std::string text() const { return is_unbiased ? "random-k, unbiased" : name; }
};

}  // namespace weir::inline v1
