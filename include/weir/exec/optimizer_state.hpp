#pragma once

#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/exec/gradient_control.hpp"

namespace weir::inline v1 {

/// The scalars of an optimizer that change from step to step, in the executor's memory.
struct OptimizerState {
  double learning_rate = 0.0;       // of the step under way
  double next_learning_rate = 0.0;  // of the next one
  std::uint64_t step = 0;           // optimizer steps taken, skipped ones not counted
  double beta1_power = 1.0;         // beta1 to the power of `step`
  double beta2_power = 1.0;
};

/// The state before the first step.
struct InitialiseOptimizer {
  OptimizerState* state;
  double learning_rate;

  WEIR_HOST_DEVICE void operator()() const {
    *state = {.learning_rate = learning_rate, .next_learning_rate = learning_rate};
  }
};

/// Sets the learning rate of the steps that begin later.
struct SetLearningRate {
  OptimizerState* state;
  double learning_rate;

  WEIR_HOST_DEVICE void operator()() const { state->next_learning_rate = learning_rate; }
};

/// Begins an optimizer step: takes over the learning rate that was set, counts, multiplies the powers.
/// Does nothing in a step that is skipped, but for the learning rate.
struct AdvanceOptimizer {
  OptimizerState* state;
  double beta1;
  double beta2;
  GradientControl const* control;

  WEIR_HOST_DEVICE void operator()() const {
    state->learning_rate = state->next_learning_rate;
    if (control != nullptr && control->skip != 0) return;
    state->step += 1;
    state->beta1_power *= beta1;
    state->beta2_power *= beta2;
  }
};

}  // namespace weir::inline v1
