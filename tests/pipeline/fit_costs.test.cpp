#include "weir/pipeline/fit_costs.hpp"

#include <doctest/doctest.h>

#include "weir/pipeline/schedule_catalog.hpp"
#include "weir/pipeline/simulate.hpp"

using namespace weir;

TEST_CASE("the costs of a simulated run are found again, and give the same makespan") {
  SimulationCosts const costs{.stages = {{2, 3, 1}, {1, 1, 1}, {4, 2, 2}, {1, 5, 3}},
                              .latency = Rational(1, 2)};
  for (char const* name : {"zb-h1", "zb-h2", "zb-v"}) {
    std::uint32_t const workers = name[3] == 'v' ? 2 : 4;
    ScheduleTable const table = find_schedule(name)->make_table({.workers = workers, .micro_batches = 8});
    Simulation const run = simulate(table, costs);
    SimulationCosts const fitted = fit_costs(timeline(table, run));
    for (std::size_t stage = 0; stage < 4; ++stage) {
      CHECK(fitted.stages[stage].forward == costs.stages[stage].forward);
      CHECK(fitted.stages[stage].backward_input == costs.stages[stage].backward_input);
      CHECK(fitted.stages[stage].backward_weight == costs.stages[stage].backward_weight);
    }
    CHECK(fitted.latency == costs.latency);
    CHECK(simulate(table, fitted).makespan() == run.makespan());
  }
}

TEST_CASE("a whole backward is one sum") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 2, .micro_batches = 3});
  Simulation const run = simulate(table, {.worker = {2, 3, 4}});
  SimulationCosts const fitted = fit_costs(timeline(table, run));
  CHECK(fitted.stages[0].backward_input + fitted.stages[0].backward_weight == 7);
  CHECK(simulate(table, fitted).makespan() == run.makespan());
}

TEST_CASE("the mean of operations that differ") {
  ScheduleTable const table = make_table<GPipe>({.workers = 1, .micro_batches = 2});
  std::vector<std::int64_t> const start{0, 10, 30, 40};
  std::vector<std::int64_t> const end{10, 30, 40, 60};
  SimulationCosts const fitted = fit_costs({table, start, end, 1000});
  CHECK(fitted.stages[0].forward == Rational(15, 1000));
  CHECK(fitted.latency == 0);
}
