#include "weir/plan/plan.hpp"

#include <doctest/doctest.h>

TEST_CASE("the throughput of a plan is its batch over its step time") {
  weir::Plan const plan{.feasible = true, .global_batch = 512, .seconds_per_step = 0.25};
  CHECK(plan.samples_per_second() == 2048);
}
