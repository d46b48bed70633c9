#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/rational.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/simulate.hpp"

namespace weir::inline v1 {

/// How long the gradient of each stage may take to be reduced over replicas, beside the computation, without
/// making a simulated run longer: from the last weight gradient of a period to the first forward that reads
/// the version made of it. In a synchronous table to the end of the run. Rounded down to a tick of the
/// simulation.
///
/// Units: those of the costs. Cost: a simulation for each stage and power of two up to the makespan in ticks.
inline std::vector<Rational> reduce_slack(TableView const& table, SimulationCosts costs = {}) {
  costs.reduce.clear();
  Simulation const plain = simulate(table, costs);
  std::int64_t makespan = 0;
  std::vector<std::int64_t> last_gradient(table.stages(), 0);
  for (std::size_t i = 0; i < table.operations().size(); ++i) {
    Operation const& operation = table.operations()[i];
    if (plain.end_ticks()[i] > makespan) makespan = plain.end_ticks()[i];
    if (gives_weight_gradient(operation) && plain.end_ticks()[i] > last_gradient[operation.stage])
      last_gradient[operation.stage] = plain.end_ticks()[i];
  }
  std::vector<Rational> slack;
  for (std::uint32_t stage = 0; stage < table.stages(); ++stage) {
    if (table.synchronous()) {
      slack.emplace_back(makespan - last_gradient[stage], plain.ticks_per_unit());
      continue;
    }
    std::int64_t enough = 0;
    std::int64_t too_long = makespan + 1;
    while (too_long - enough > 1) {
      std::int64_t const middle = enough + (too_long - enough) / 2;
      costs.reduce.assign(table.stages(), 0);
      costs.reduce[stage] = Rational(middle, plain.ticks_per_unit());
      bool const is_harmless = simulate(table, costs).makespan() == plain.makespan();
      (is_harmless ? enough : too_long) = middle;
    }
    slack.emplace_back(enough, plain.ticks_per_unit());
  }
  return slack;
}

}  // namespace weir::inline v1
