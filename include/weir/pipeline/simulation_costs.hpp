#pragma once

#include <vector>

#include "weir/pipeline/rational.hpp"

namespace weir::inline v1 {

/// What the parts of one micro-batch cost.
struct StageCost {
  Rational forward = 1;
  Rational backward_input = 1;
  Rational backward_weight = 1;
};

/// How long operations and messages take, in any unit of time.
struct SimulationCosts {
  /// Of all layers of a worker, per direction: a stage takes its share, 1/V of it.
  StageCost worker = {};
  /// Of each stage, in place of that. Empty, or one for each.
  std::vector<StageCost> stages = {};
  /// From the end of an operation to when another worker can use its message.
  Rational latency = 0;
  /// What a pair costs, as a share of its two parts.
  Rational pair = 1;
  /// How long the gradient of each stage is reduced before the update that uses it, beside everything else.
  /// Empty, or one for each.
  std::vector<Rational> reduce = {};
};

}  // namespace weir::inline v1
