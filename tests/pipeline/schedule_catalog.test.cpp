#include "weir/pipeline/schedule_catalog.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace weir;

TEST_CASE("all schedules are there by name, in the known order") {
  std::string names;
  for (NamedSchedule const& schedule : schedule_catalog()) {
    names += std::string(schedule.traits.name) + " ";
    CHECK(find_schedule(schedule.traits.name) == &schedule);
  }
  CHECK(names ==
        "sequential gpipe 1f1b pipedream pipedream-2bw interleaved-1f1b looped-bfs chimera zb-h1 zb-h2 zb-v "
        "dualpipe "
        "dualpipe-v wpipe ");
  CHECK(find_schedule("1F1B") == nullptr);
}

TEST_CASE("a named schedule does what its type does") {
  NamedSchedule const& wpipe = *find_schedule("wpipe");
  ScheduleShape const shape{.workers = 2, .micro_batches = 4};
  CHECK(wpipe.make_table(shape) == make_table<WPipe>(shape));
  CHECK(wpipe.completed(shape).period == 2);
  CHECK(wpipe.weight_rule(wpipe.completed(shape), 1).versions == 2);
  CHECK(wpipe.refusal({.workers = 2, .micro_batches = 5}).nearest == 6);
}
