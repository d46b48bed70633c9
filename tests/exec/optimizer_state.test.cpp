#include "weir/exec/optimizer_state.hpp"

#include <doctest/doctest.h>

TEST_CASE(
    "a learning rate that is set takes effect in the next step, which counts and multiplies the powers") {
  weir::OptimizerState state;
  weir::InitialiseOptimizer{&state, 0.5}();
  weir::AdvanceOptimizer const advance{&state, 0.5, 0.25, nullptr};
  advance();
  CHECK(state.learning_rate == 0.5);
  weir::SetLearningRate{&state, 0.1}();
  CHECK(state.learning_rate == 0.5);
  advance();
  CHECK(state.learning_rate == 0.1);
  CHECK(state.step == 2);
  CHECK(state.beta1_power == 0.25);
  CHECK(state.beta2_power == 0.0625);
}

TEST_CASE("a skipped step takes over the learning rate and does nothing else") {
  weir::GradientControl const control{.skip = 1};
  weir::OptimizerState state{
      .learning_rate = 1, .next_learning_rate = 2, .step = 3, .beta1_power = 0.5, .beta2_power = 0.5};
  weir::AdvanceOptimizer{&state, 0.9, 0.9, &control}();
  CHECK(state.learning_rate == 2);
  CHECK(state.step == 3);
  CHECK(state.beta1_power == 0.5);
  CHECK(state.beta2_power == 0.5);
}
