#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/pipeline/dependencies.hpp"
#include "weir/pipeline/operation_index.hpp"
#include "weir/pipeline/simulation_costs.hpp"
#include "weir/pipeline/timeline.hpp"

namespace weir::inline v1 {

/// The costs at which a simulation comes close to a run: the mean of each stage's operations, to a tick; of a
/// whole backward one half each. The latency is the shortest time from an operation to one on another worker
/// that needs it. Pairs are left out where there is anything else.
inline SimulationCosts fit_costs(Timeline const& run) {
  struct Mean {
    std::int64_t sum = 0;
    std::int64_t count = 0;
    void add(std::int64_t ticks) {
      sum += ticks;
      ++count;
    }
    std::int64_t ticks() const { return count == 0 ? 0 : (sum + count / 2) / count; }
  };
  struct Stage {
    Mean forward;
    Mean backward;
    Mean input;
    Mean weight;
  };
  TableView const& table = run.table;
  std::span<Operation const> const operations = table.operations();
  std::vector<Stage> stages(table.stages());
  OperationIndex const index(table);
  std::int64_t latency = INT64_MAX;
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    for (std::size_t i = table.begin_of(worker); i < table.begin_of(worker + std::size_t{1}); ++i) {
      Operation const& operation = operations[i];
      if (!is_compute(operation)) continue;
      for_each_dependency(table, index, operation, [&](std::size_t needed) {
        bool const is_remote =
            needed < table.begin_of(worker) || needed >= table.begin_of(worker + std::size_t{1});
        std::int64_t const gap = run.start[i] - run.end[needed];
        if (is_remote && gap < latency) latency = gap > 0 ? gap : 0;
      });
      if (operation.kind == OperationKind::pair || detail::is_second_of_pair(operations, i)) continue;
      Stage& stage = stages[operation.stage];
      Mean& mean = operation.kind == OperationKind::forward          ? stage.forward
                   : operation.kind == OperationKind::backward       ? stage.backward
                   : operation.kind == OperationKind::backward_input ? stage.input
                                                                     : stage.weight;
      mean.add(run.end[i] - run.start[i]);
    }
  }
  SimulationCosts costs;
  for (Stage const& stage : stages) {
    std::int64_t const half = stage.backward.ticks() / 2;
    bool const is_split = stage.input.count + stage.weight.count > 0;
    std::int64_t const input = is_split ? stage.input.ticks() : half;
    std::int64_t const weight = is_split ? stage.weight.ticks() : stage.backward.ticks() - half;
    costs.stages.push_back({run.time(stage.forward.ticks()), run.time(input), run.time(weight)});
  }
  costs.latency = latency == INT64_MAX ? Rational{} : run.time(latency);
  return costs;
}

}  // namespace weir::inline v1
