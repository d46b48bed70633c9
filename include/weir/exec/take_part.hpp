#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// How many of the slots that a leader has chosen a rank sends: all, or none where it has selected none
/// itself, as in a step that is skipped.
struct TakePart {
  std::uint64_t const* selected;  // by this rank
  std::uint64_t const* chosen;    // by the leader
  std::uint64_t* sent;

  WEIR_HOST_DEVICE void operator()() const { *sent = *selected == 0 ? 0 : *chosen; }
};

}  // namespace weir::inline v1
