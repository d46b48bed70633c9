#include "weir/exec/loss_scale_step.hpp"

#include <doctest/doctest.h>

#include <type_traits>

static_assert(std::is_trivially_copyable_v<weir::LossScaleStep>);
static_assert(std::is_trivially_copyable_v<weir::LossScaleState>);

namespace {

struct Scaler {
  weir::LossScaleOptions options{
      .initial = 64.0, .growth = 4.0, .backoff = 0.25, .interval = 3, .least = 2.0};
  weir::LossScaleState state{.scale = 64.0};
  weir::GradientControl control;

  void step(std::uint64_t non_finite, weir::GradientControl const* before = nullptr) {
    weir::Measurement const measurements[] = {{1.0, 0}, {1.0, non_finite}};
    weir::LossScaleStep{measurements, 2, options, &state, before, &control}();
  }
};

}

TEST_CASE("the gradient is divided by the scale of its own step") {
  Scaler scaler;
  for (int step = 0; step < 3; ++step) {
    scaler.step(0);
    CHECK(scaler.control.factor == 1.0 / 64.0);
    CHECK(scaler.control.skip == 0);
  }
  CHECK(scaler.state.scale == 256.0);  // grown after the third
  scaler.step(0);
  CHECK(scaler.control.factor == 1.0 / 256.0);
}

TEST_CASE("an overflow skips the step, lowers the scale, and starts counting again") {
  Scaler scaler;
  scaler.step(0);
  scaler.step(0);
  scaler.step(1);
  CHECK(scaler.control.skip == 1);
  CHECK(scaler.state.scale == 16.0);
  CHECK(scaler.state.skipped_steps == 1);
  scaler.step(0);
  CHECK(scaler.control.skip == 0);
  scaler.step(0);
  CHECK(scaler.state.scale == 16.0);
  scaler.step(0);
  CHECK(scaler.state.scale == 64.0);
}

TEST_CASE("the scale does not fall below the least") {
  Scaler scaler;
  for (int step = 0; step < 9; ++step) scaler.step(7);
  CHECK(scaler.state.scale == 2.0);
  CHECK(scaler.state.skipped_steps == 9);
}

TEST_CASE("the control of an earlier stage is kept") {
  weir::GradientControl const before{.factor = 0.5, .skip = 1};
  Scaler scaler;
  scaler.step(0, &before);
  CHECK(scaler.control.factor == 0.5 / 64.0);
  CHECK(scaler.control.skip == 1);
}
