#include "weir/pipeline/timeline.hpp"

#include <doctest/doctest.h>

#include "weir/pipeline/schedule/one_f_one_b.hpp"

using namespace weir;

TEST_CASE("the timeline of a simulation has its times") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 2, .micro_batches = 2});
  Simulation const simulation = simulate(table, {.worker = {Rational(1, 3), 1, 1}});
  Timeline const times = timeline(table, simulation);
  CHECK(times.time(times.end[0]) == Rational(1, 3));
  CHECK(times.time(times.makespan_ticks()) == simulation.makespan());
}

TEST_CASE("a simulation of another table is refused") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 2, .micro_batches = 2});
  Simulation const other = simulate(make_table<OneFOneB>({.workers = 2, .micro_batches = 3}));
  CHECK_THROWS_AS(timeline(table, other), ContractViolation);
}
