// In a file of its own, because it takes as long to compile as the same in double.
#include <doctest/doctest.h>

#include "pipeline/all_schedules.hpp"

TEST_CASE("every synchronous schedule of one direction gives the bits of one worker, in float") {
  staged::check_all_schedules<float>();
}
