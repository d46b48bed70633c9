#include "weir/pipeline/trace_difference.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "weir/pipeline/schedule/one_f_one_b.hpp"

using namespace weir;

TEST_CASE("a run that is late, and one out of order") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 2, .micro_batches = 1});
  Simulation const plan = simulate(table);  // 0F0 0..1, 1F0 1..2, 1B0 2..4, 0B0 4..6
  // In thousandths, beginning at 5: the backward of stage 1 takes 3.
  std::vector<std::int64_t> start{5000, 10000, 6000, 7000};
  std::vector<std::int64_t> const end{6000, 12000, 7000, 10000};
  Timeline const run{table, start, end, 1000};
  TraceDifference const late = trace_difference(timeline(table, plan), run);
  CHECK(late.plan_makespan == 6);
  CHECK(late.run_makespan == 7);
  CHECK(late.latest == 1);
  CHECK(late.lateness == 1);
  CHECK(late.slowest == 3);
  CHECK(late.excess == 1);
  CHECK(late.out_of_order.empty());

  start[3] = 6500;  // before its forward has ended
  CHECK(trace_difference(timeline(table, plan), run).out_of_order == std::vector<std::size_t>{3});
}

TEST_CASE("timelines of two tables are refused") {
  ScheduleTable const table = make_table<OneFOneB>({.workers = 2, .micro_batches = 1});
  ScheduleTable const other = make_table<OneFOneB>({.workers = 2, .micro_batches = 2});
  Simulation const plan = simulate(table);
  Simulation const run = simulate(other);
  CHECK_THROWS_AS(trace_difference(timeline(table, plan), timeline(other, run)), ContractViolation);
}
