#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// The number of the step under way, in the executor's memory, so that a captured step counts as well.
struct StepClock {
  std::uint64_t step = 0;
  std::uint64_t next = 0;
};

/// Sets the number of the step that begins next.
struct SetStepClock {
  StepClock* clock;
  std::uint64_t next;

  WEIR_HOST_DEVICE void operator()() const { clock->next = next; }
};

/// Begins a step.
struct AdvanceStepClock {
  StepClock* clock;

  WEIR_HOST_DEVICE void operator()() const {
    clock->step = clock->next;
    clock->next += 1;
  }
};

}  // namespace weir::inline v1
