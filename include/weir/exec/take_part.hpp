#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/sparsify_statistics.hpp"

namespace weir::inline v1 {

/// Whether a rank sends something of a bucket: by how its selection ended, or where nobody has said that, if
/// it has selected anything.
struct RankPart {
  SparsifyStatus const* status = nullptr;
  std::uint64_t const* selected = nullptr;

  WEIR_HOST_DEVICE bool is_taken() const {
    return status != nullptr ? *status == SparsifyStatus::selected : *selected != 0;
  }
};

/// How many of the slots that a leader has chosen a rank sends: all, or none in a step that is skipped.
struct TakePart {
  RankPart part;
  std::uint64_t const* chosen;  // by the leader
  std::uint64_t* sent;

  WEIR_HOST_DEVICE void operator()() const { *sent = part.is_taken() ? *chosen : 0; }
};

/// Conditions for `clear_if`: whether it is taken, then whether it is not.
struct TellPart {
  RankPart part;
  std::uint64_t* conditions;

  WEIR_HOST_DEVICE void operator()() const {
    conditions[0] = part.is_taken() ? 1 : 0;
    conditions[1] = 1 - conditions[0];
  }
};

}  // namespace weir::inline v1
