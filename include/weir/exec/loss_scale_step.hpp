#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/gradient_control.hpp"
#include "weir/exec/measurement.hpp"

namespace weir::inline v1 {

struct LossScaleOptions {
  double initial = 65536.0;
  double growth = 2.0;            // 1: it never grows
  double backoff = 0.5;           // 1: it never shrinks
  std::uint64_t interval = 2000;  // finite steps in a row after which the scale grows
  double least = 1.0;
};

/// What a loss-scaling stage remembers, in the executor's memory.
struct LossScaleState {
  double scale = 1.0;
  std::uint64_t finite_steps = 0;   // in a row
  std::uint64_t skipped_steps = 0;  // in all
};

/// The state before the first step.
struct InitialiseLossScale {
  LossScaleState* state;
  double scale;

  WEIR_HOST_DEVICE void operator()() const { *state = {.scale = scale}; }
};

/// Undoes the loss scale of a step, or skips it where a gradient has overflowed, and sets the scale of the
/// next.
struct LossScaleStep {
  Measurement const* measurements;  // of all buckets
  std::size_t count;
  LossScaleOptions options;
  LossScaleState* state;
  GradientControl const* before;
  GradientControl* control;

  WEIR_HOST_DEVICE void operator()() const {
    *control = before != nullptr ? *before : GradientControl{};
    control->factor /= state->scale;
    bool finite = true;
    for (std::size_t i = 0; i < count; ++i) finite = finite && measurements[i].non_finite == 0;
    if (!finite) {
      control->skip = 1;
      ++state->skipped_steps;
      state->finite_steps = 0;
      double const smaller = state->scale * options.backoff;
      state->scale = smaller < options.least ? options.least : smaller;
    } else if (++state->finite_steps == options.interval) {
      state->finite_steps = 0;
      state->scale *= options.growth;
    }
  }
};

}  // namespace weir::inline v1
