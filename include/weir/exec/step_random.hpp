#pragma once

#include <cstdint>

#include "weir/core/random.hpp"
#include "weir/exec/step_clock.hpp"

namespace weir::inline v1 {

/// The random numbers of one operation of the model on one micro-batch, of whatever step is under way when
/// its kernel runs: a kernel takes it by value and calls `stream()`.
struct StepRandom {
  std::uint64_t seed = 0;
  StepClock const* clock = nullptr;  // in the executor's memory
  std::uint32_t micro_batch = 0;     // the global index u
  std::uint32_t site = 0;
  std::uint32_t later = 0;  // steps, than the clock shows

  /// Reads the executor's memory.
  WEIR_HOST_DEVICE RandomStream stream() const {
    return {seed, static_cast<std::uint32_t>(clock->step) + later, micro_batch, site};
  }
};

}  // namespace weir::inline v1
