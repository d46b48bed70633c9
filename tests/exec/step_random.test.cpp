#include "weir/exec/step_random.hpp"

#include <doctest/doctest.h>

TEST_CASE("the random numbers are those of the step that the clock shows") {
  weir::StepClock clock{.step = 3, .next = 4};
  weir::StepRandom const random{.seed = 42, .clock = &clock, .micro_batch = 5, .site = 6};
  CHECK(random.stream()(9) == weir::RandomStream{42, 3, 5, 6}(9));
  weir::StepRandom const later{.seed = 42, .clock = &clock, .micro_batch = 5, .site = 6, .later = 2};
  CHECK(later.stream()(9) == weir::RandomStream{42, 5, 5, 6}(9));
  weir::AdvanceStepClock{&clock}();
  CHECK(random.stream()(9) == weir::RandomStream{42, 4, 5, 6}(9));
  CHECK_FALSE(random.stream()(9) == weir::RandomStream{42, 3, 5, 6}(9));
}
