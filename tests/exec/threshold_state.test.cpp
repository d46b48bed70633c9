#include "weir/exec/threshold_state.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <type_traits>

// A checkpoint keeps it as it is.
static_assert(std::is_trivially_copyable_v<weir::ThresholdState>);

TEST_CASE("how many slots a density means") {
  CHECK(weir::slots_of(0.01, 0) == 0);
  CHECK(weir::slots_of(0.01, 1) == 1);
  CHECK(weir::slots_of(0.001, 256) == 1);
  CHECK(weir::slots_of(0.1, 10000) == 1000);
  CHECK(weir::slots_of(0.29, 100) == 28);  // 28.999999999999996
  CHECK(weir::slots_of(1.0, 12345) == 12345);
  CHECK(weir::slots_of(1e-300, 1u << 20) == 1);
  CHECK(weir::slots_of(0.5, std::uint64_t{1} << 40) == std::uint64_t{1} << 39);
}

TEST_CASE("another density or size restarts what was learnt") {
  weir::ThresholdState state;
  weir::InitialiseThreshold{&state, 0.02}();
  CHECK(state.density == 0.02);
  weir::StageConstants const stages{.first_ratio = 0.3};
  state.restart_if_changed(100, stages);
  CHECK(state.adaptation.first_ratio == 0.3);
  state.adaptation.stages = 3;
  state.has_reusable = 1;
  state.step = 9;
  state.restart_if_changed(100, stages);
  CHECK(state.adaptation.stages == 3);
  weir::SetDensity{&state, 0.01}();
  state.restart_if_changed(100, stages);
  CHECK(state.adaptation.stages == 1);
  CHECK(state.has_reusable == 0);
  CHECK(state.step == 9);
  state.adaptation.stages = 2;
  state.restart_if_changed(101, stages);
  CHECK(state.adaptation.stages == 1);
}

TEST_CASE("collapsed says what the mean quality of the last twenty calls was like") {
  weir::ThresholdState state;
  for (int call = 0; call < 19; ++call) state.watch(0.1);
  CHECK(state.collapsed == 0);
  state.watch(0.1);
  CHECK(state.collapsed == 1);
  for (int call = 0; call < 20; ++call) state.watch(call % 2 == 0 ? 0.0 : 1.0);
  CHECK(state.collapsed == 0);
  for (int call = 0; call < 20; ++call) state.watch(5.5);
  CHECK(state.collapsed == 1);
}

TEST_CASE("a threshold is kept for an interval, and moved by its quality") {
  weir::ThresholdState state;
  state.restart_if_changed(100, {});
  weir::ReuseConstants const reuse{.interval = 3};
  CHECK(!state.can_reuse(100, reuse));
  state.keep(2.0, 1.5, 0.02, false);
  CHECK(std::fabs(state.reused_threshold / (2.0 * std::pow(1.5, 0.02)) - 1.0) < 1e-14);
  CHECK(state.can_reuse(100, reuse));
  CHECK(!state.can_reuse(100, {.interval = 1}));
  CHECK(!state.can_reuse(100, {}));
  CHECK(!state.can_reuse(101, reuse));
  state.keep(state.reused_threshold, 1.0, 0.02, true);
  CHECK(state.can_reuse(100, reuse));
  state.keep(state.reused_threshold, 0.0, 0.02, true);
  CHECK(!state.can_reuse(100, reuse));
  CHECK(state.reused_threshold > 2.0);
  state.keep(1.0, 1.0, 0.02, false);
  state.density = 0.5;
  CHECK(!state.can_reuse(100, reuse));
}
