#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/sparsify_statistics.hpp"

namespace weir::inline v1 {

/// Whether a rank sends something of a bucket: by how its selection ended, or where nobody has said that, if
/// it has selected anything.
struct PartTaken {
  SparsifyStatus const* status = nullptr;
  std::uint64_t const* selected = nullptr;

  WEIR_HOST_DEVICE bool operator()() const {
    return status != nullptr ? *status == SparsifyStatus::selected : *selected != 0;
  }
};

/// How many of the slots that a leader has chosen a rank sends: all, or none in a step that is skipped.
struct TakePart {
  PartTaken is_taken;
  std::uint64_t const* chosen;  // by the leader
  std::uint64_t* sent;

  WEIR_HOST_DEVICE void operator()() const { *sent = is_taken() ? *chosen : 0; }
};

/// Conditions for `clear_if`: whether it is taken, then whether it is not.
struct TellPart {
  PartTaken is_taken;
  std::uint64_t* conditions;

  WEIR_HOST_DEVICE void operator()() const {
    conditions[0] = is_taken() ? 1 : 0;
    conditions[1] = 1 - conditions[0];
  }
};

}  // namespace weir::inline v1
