#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/concepts.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/pipeline_run.hpp"
#include "weir/pipeline/pipeline_units.hpp"
#include "weir/pipeline/pipeline_watch.hpp"
#include "weir/pipeline/predicted.hpp"

namespace weir::inline v1::detail {

/// Makes the workers of a pipeline wait for the weights that they read: threads, or the streams to which one
/// thread gives the work of all.
template <Executor E, class Real>
class PipelineWeights {
 public:
  using Unit = ParameterUnit<E, Real>;

  PipelineWeights(PipelineUnits<E, Real>& units, PipelineWatch& watch) : units_(units), watch_(watch) {}

  /// For those that an operation reads. Errors: `PipelineStopped` if a recipe has failed.
  void wait(PipelineRun const& run, PipelineStep const& step, std::size_t worker, E const& point) {
    for (auto const& member : units_.of_lane(step.lane)) {
      Operation const& operation = step.operation;
      std::uint32_t version = operation.version;
      if (member.is_tied && !run.is_evaluation)
        version = operation.period < member.delay ? 0 : operation.period - member.delay;
      wait_for_updates(run, *member.unit, run.first_version + version, worker, point);
    }
  }

  void wait_for_updates(PipelineRun const& run, Unit const& unit, std::uint64_t count, std::size_t worker,
                        E const& point) {
    if constexpr (!HostOrderedExecutor<E>) {
      // All streams begin a run behind the updates of the one before. One that has failed is not counted.
      if (count > run.first_version && !unit.has_failed()) unit.wait_for_update(count, point);
    } else {
      watch_.wait(worker, WorkerWait::weights, nullptr,
                  [&] { return unit.completed() >= count || unit.has_failed(); });
    }
    if (!unit.has_failed()) return;
    watch_.fail(nullptr);  // the recipe keeps it
    throw PipelineStopped{};
  }

  /// Lets the store make what stands for late weights in a period.
  template <class Store>
  void predict(PipelineRun const& run, PipelineStep const& step, std::size_t worker, E const& point,
               Store const& store) {
    Operation const& operation = step.operation;
    if (operation.period >= run.periods) return;
    wait(run, step, worker, point);
    for (auto const& member : units_.of_lane(step.lane)) {
      auto const& unit = *member.unit;
      for (std::size_t p = 0; unit.predicts() && p < unit.plan().parameters(); ++p) {
        store.predict(point,
                      Prediction{.stage = operation.stage,
                                 .parameter = p,
                                 .version = run.first_version + operation.version,
                                 .steps = operation.period - operation.version},
                      unit.weights(run.first_version + operation.version, p),
                      unit.predicted(run.first_version + operation.period, p));
      }
    }
  }

 private:
  PipelineUnits<E, Real>& units_;
  PipelineWatch& watch_;
};

}  // namespace weir::inline v1::detail
