#include "weir/pipeline/critical_path.hpp"

#include <doctest/doctest.h>

#include <string>

#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/simulate.hpp"

using namespace weir;

TEST_CASE("the critical path of 1F1B goes down, stays on the last worker, and comes back") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 3, .micro_batches = 3});
  Simulation const simulation = simulate(table);
  std::string path;
  for (std::size_t const at : critical_path(timeline(table, simulation)))
    path += cell_text(table.operations()[at]) + " ";
  CHECK(path == "0F0 1F0 2F0 2B0 2F1 2B1 2F2 2B2 1B2 0B2 ");
}

TEST_CASE("the operations and messages of the path add up to the makespan in every schedule") {
  for (NamedSchedule const& schedule : schedule_catalog()) {
    ScheduleTable const table = schedule.make_table({.workers = 4, .micro_batches = 8});
    Rational const latency(1, 7);
    Simulation const simulation = simulate(table, {.worker = {2, Rational(5, 3), 1}, .latency = latency});
    Rational length;
    std::size_t before = table.operations().size();
    for (std::size_t const at : critical_path(timeline(table, simulation), latency)) {
      Rational const gap =
          before == table.operations().size() ? Rational{} : simulation.start(at) - simulation.end(before);
      CHECK((gap == Rational{} || gap == latency));
      length += gap + simulation.end(at) - simulation.start(at);
      before = at;
    }
    CHECK(length == simulation.makespan());
  }
}

TEST_CASE("a table without operations has no path") {
  ScheduleTable const nothing(TableProperties{.workers = 1}, std::vector<std::vector<Operation>>(1));
  Simulation const simulation = simulate(nothing);
  CHECK(critical_path(timeline(nothing, simulation)).empty());
}
