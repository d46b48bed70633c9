#include "weir/pipeline/text_grid.hpp"

#include <doctest/doctest.h>

#include "weir/pipeline/schedule/dualpipe.hpp"
#include "weir/pipeline/schedule/one_f_one_b.hpp"
#include "weir/pipeline/simulate.hpp"

using namespace weir;

TEST_CASE("a line per worker, a column per step") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 2, .micro_batches = 2});
  Simulation const simulation = simulate(table);
  CHECK(text_grid(timeline(table, simulation)) ==
        "0 | 0F0 0F1 .   .   0B0 =   .   0B1 =\n"
        "1 | .   1F0 1B0 =   1F1 1B1 =   .   .\n");
}

TEST_CASE("half a step more is two columns for each") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 1, .micro_batches = 1});
  Simulation const simulation = simulate(table, {.worker = {Rational(1, 2), 1, 0}});
  CHECK(text_grid(timeline(table, simulation)) == "0 | 0F0 0B0 =\n");
}

TEST_CASE("of a pair the forward is shown") {
  ScheduleTable const table = make_table<DualPipe>({.workers = 2, .micro_batches = 4});
  Simulation const simulation = simulate(table);
  CHECK(text_grid(timeline(table, simulation)).find("1F3r =    =    1B3r") != std::string::npos);
}
