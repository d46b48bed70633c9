#include "weir/plan/step_phases.hpp"

#include <doctest/doctest.h>

TEST_CASE("a step is its phases, with the collectives behind the last backward pass") {
  weir::StepPhases phases{.data = 1,
                          .buffers = 2,
                          .forward = 10,
                          .backward = 20,
                          .hidden = 15,
                          .last_bucket = 4,
                          .update = 8,
                          .exposed = 0.25};
  CHECK(phases.seconds(1) == 1 + 2 + 10 + 20 + 4 + 2);
  CHECK(phases.seconds(3) == 39 + 2 * 31);
  CHECK(phases.last_backward(1) == 13);
  CHECK(phases.last_backward(3) == 13 + 2 * 31);
  phases.hidden = 50;
  CHECK(phases.seconds(1) == 1 + 2 + 10 + 50 + 4 + 2);
}
