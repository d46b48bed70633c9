#include "weir/exec/step_clock.hpp"

#include <doctest/doctest.h>

TEST_CASE("a clock tells the number of the step under way, from whatever number it was set to") {
  weir::StepClock clock;
  weir::AdvanceStepClock const advance{&clock};
  for (std::uint64_t step = 0; step < 3; ++step) {
    advance();
    CHECK(clock.step == step);
  }
  weir::SetStepClock{&clock, 7}();
  CHECK(clock.step == 2);  // the step under way keeps its number
  advance();
  CHECK(clock.step == 7);
  advance();
  CHECK(clock.step == 8);
}
