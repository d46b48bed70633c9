#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/dependencies.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/timeline.hpp"

namespace weir::inline v1 {

/// How a run of a table differs from its plan. Times are in units; each timeline begins with its first
/// operation.
struct TraceDifference {
  double plan_makespan = 0;
  double run_makespan = 0;
  std::size_t latest = 0;   ///< position of the operation that began latest against its plan
  double lateness = 0;      ///< of that one
  std::size_t slowest = 0;  ///< position of the operation that took longest against its plan
  double excess = 0;        ///< of that one
  /// Operations that began before one that they need had ended, or before the one before them on their
  /// worker.
  std::vector<std::size_t> out_of_order = {};
};

namespace detail {

inline std::int64_t first_start(Timeline const& timeline) {
  std::int64_t first = INT64_MAX;
  for (std::int64_t const ticks : timeline.start) first = ticks < first ? ticks : first;
  return timeline.start.empty() ? 0 : first;
}

}  // namespace detail

/// Errors: ContractViolation for timelines of different tables.
inline TraceDifference trace_difference(Timeline const& plan, Timeline const& run) {
  if (!(plan.table == run.table))
    throw ContractViolation("trace_difference: timelines of two tables; two of the same would be right");
  auto const units = [](Timeline const& timeline, std::int64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(timeline.ticks_per_unit);
  };
  std::int64_t const plan_begin = detail::first_start(plan);
  std::int64_t const run_begin = detail::first_start(run);
  TraceDifference result;
  result.plan_makespan = units(plan, plan.makespan_ticks() - plan_begin);
  result.run_makespan = units(run, run.makespan_ticks() - run_begin);
  OperationIndex const index(plan.table);
  for (std::uint32_t worker = 0; worker < plan.table.workers(); ++worker) {
    for (std::size_t i = plan.table.begin_of(worker); i < plan.table.begin_of(worker + std::size_t{1}); ++i) {
      double const lateness = units(run, run.start[i] - run_begin) - units(plan, plan.start[i] - plan_begin);
      double const excess = units(run, run.end[i] - run.start[i]) - units(plan, plan.end[i] - plan.start[i]);
      if (lateness > result.lateness) {
        result.lateness = lateness;
        result.latest = i;
      }
      if (excess > result.excess) {
        result.excess = excess;
        result.slowest = i;
      }
      bool is_early = i > plan.table.begin_of(worker) && run.start[i] < run.start[i - 1];
      for_each_dependency(plan.table, index, plan.table.operations()[i],
                          [&](std::size_t needed) { is_early = is_early || run.start[i] < run.end[needed]; });
      if (is_early) result.out_of_order.push_back(i);
    }
  }
  return result;
}

}  // namespace weir::inline v1
