#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/plan/goodput.hpp"
#include "weir/plan/plan.hpp"
#include "weir/plan/simulate_step.hpp"
#include "weir/plan/time_model.hpp"

namespace weir::inline v1 {

/// A training run to simulate.
struct TrainingRun {
  double samples = 0;                // it takes with batches of `reference_batch`; larger batches take more
  std::size_t reference_batch = 1;   // GBS0
  std::size_t period = 100;          // steps after which the plan may change
  std::size_t most_changes = 10000;  // of the plan; ends a run that would get nowhere
};

/// Steps of a simulated run with one plan.
struct RunSegment {
  Plan plan = {};
  std::uint64_t steps = 0;
  double seconds = 0;
};

struct SimulatedRun {
  std::vector<RunSegment> segments = {};
  std::uint64_t steps = 0;
  double samples = 0;  // that were processed
  double seconds = 0;
};

/// Runs a training on paper, to compare clusters, plans and ways to adapt the batch. A step takes as long as
/// `simulate_step` says, and brings the run forward by its samples times their efficiency.
///
/// `noise(progress)` gives the gradient noise scale at a share of the run from 0 to 1, `next(noise, plan)` an
/// optional new plan; it is asked every `period` steps. Cost: a replay of a step per change of the plan.
/// Errors: `ContractViolation` if a plan is not feasible.
template <class Noise, class Next>
SimulatedRun simulate_run(TimeModel const& model, Plan plan, TrainingRun const& run, Noise const& noise,
                          Next&& next) {
  SimulatedRun result;
  double done = 0;
  while (done < run.samples && result.segments.size() <= run.most_changes) {
    if (!plan.feasible) throw ContractViolation("simulate_run: a plan that is not feasible: " + plan.reason);
    double const step_seconds = simulate_step(model, plan.ranks, plan.weight_sync);
    double const batch = static_cast<double>(plan.global_batch);
    RunSegment segment{.plan = plan};
    std::optional<Plan> changed;
    while (done < run.samples && !changed) {
      double const now = noise(done / run.samples);
      double const useful = batch * batch_efficiency(now, static_cast<double>(run.reference_batch), batch);
      double const left = (run.samples - done) / useful;
      std::uint64_t steps = run.period;
      if (left < static_cast<double>(steps)) {
        steps = static_cast<std::uint64_t>(left);
        if (static_cast<double>(steps) < left) ++steps;
      }
      segment.steps += steps;
      done += static_cast<double>(steps) * useful;
      if (done < run.samples) changed = next(noise(done / run.samples), plan);
    }
    segment.seconds = static_cast<double>(segment.steps) * step_seconds;
    result.steps += segment.steps;
    result.samples += static_cast<double>(segment.steps) * batch;
    result.seconds += segment.seconds;
    result.segments.push_back(std::move(segment));
    if (changed) plan = std::move(*changed);
  }
  return result;
}

}  // namespace weir::inline v1
