#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/partition.hpp"
#include "weir/pipeline/simulate.hpp"

namespace weir::inline v1 {

/// The costs of stages that are cut from layers.
inline std::vector<StageCost> costs_of(std::vector<LayerRange> const& stages,
                                       std::span<StageCost const> layers) {
  std::vector<StageCost> costs;
  for (LayerRange const& stage : stages) {
    StageCost sum{0, 0, 0};
    for (std::size_t layer = stage.first; layer < stage.end; ++layer) {
      sum.forward += layers[layer].forward;
      sum.backward_input += layers[layer].backward_input;
      sum.backward_weight += layers[layer].backward_weight;
    }
    costs.push_back(sum);
  }
  return costs;
}

/// Moves one boundary between stages after another by a layer, and keeps what makes the simulated run of the
/// table shorter, until nothing does. `costs` says what is not of the layers. No stage is made empty.
///
/// Cost: a simulation for each boundary and direction, as often as one was moved.
/// Errors: ContractViolation unless there is a range for each stage of the table, in order and without gaps.
inline std::vector<LayerRange> improve_partition(TableView const& table, std::span<StageCost const> layers,
                                                 std::vector<LayerRange> stages, SimulationCosts costs = {}) {
  std::size_t next = 0;
  for (LayerRange const& stage : stages) {
    if (stage.first != next || stage.end < stage.first)
      throw ContractViolation("improve_partition: a stage that does not begin where the one before it ends");
    next = stage.end;
  }
  if (stages.size() != table.stages() || next != layers.size())
    throw ContractViolation(
        "improve_partition: all layers in as many stages as the table has would be right");
  auto const makespan = [&] {
    costs.stages = costs_of(stages, layers);
    return simulate(table, costs).makespan();
  };
  Rational best = makespan();
  for (bool has_improved = true; has_improved;) {
    has_improved = false;
    for (std::size_t boundary = 1; boundary < stages.size(); ++boundary) {
      LayerRange& left = stages[boundary - 1];
      LayerRange& right = stages[boundary];
      for (bool const to_left : {true, false}) {
        if ((to_left ? right : left).size() < 2) continue;
        std::size_t const before = left.end;
        left.end = right.first = to_left ? before + 1 : before - 1;
        Rational const moved = makespan();
        if (moved < best) {
          best = moved;
          has_improved = true;
        } else {
          left.end = right.first = before;
        }
      }
    }
  }
  return stages;
}

}  // namespace weir::inline v1
