#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/fit_costs.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/rational.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/simulation_costs.hpp"
#include "weir/pipeline/timeline.hpp"

namespace weir::inline v1 {

/// What the layers of a model take, measured. Units: milliseconds for a micro-batch.
struct LayerProfile {
  std::vector<StageCost> layers = {};  ///< as `improve_partition` takes them

  /// Forward and backward of each layer: as `partition` takes them.
  std::vector<Rational> totals() const {
    std::vector<Rational> totals;
    for (StageCost const& layer : layers)
      totals.push_back(layer.forward + layer.backward_input + layer.backward_weight);
    return totals;
  }
};

namespace detail {

/// One micro-batch after the other through all layers and back, on one worker.
inline ScheduleTable layer_by_layer(std::uint32_t layers, std::uint32_t micro_batches) {
  ScheduleTable table({.stages = layers, .micro_batches = micro_batches, .period = micro_batches});
  table.next_worker();
  for (std::uint32_t j = 0; j < micro_batches; ++j) {
    for (std::uint32_t layer = 0; layer < layers; ++layer)
      table.add({.stage = static_cast<std::uint16_t>(layer), .micro_batch = j});
    for (std::uint32_t layer = layers; layer-- > 0;) {
      for (OperationKind const kind : {OperationKind::backward_input, OperationKind::backward_weight})
        table.add({.kind = kind, .stage = static_cast<std::uint16_t>(layer), .micro_batch = j});
    }
  }
  return table;
}

}  // namespace detail

/// Measures what each layer of a model takes: runs them as the stages of a pipeline of one worker, a stage
/// for each, over the micro-batches of `batch`, once before and then `runs` times. Of each call the shortest
/// time counts, as whatever else a machine does only adds to it, and of a layer the mean of its calls. Of a
/// layer whose backward is one call the weights' part is about nothing, as in a schedule that splits it.
///
/// `options` have a layout for each layer; recomputation, codecs, times and log of them do not count. Weights
/// are only read. Blocks. Cost: runs + 1 passes over the batch, with the memory of a pipeline of so many
/// stages. On a host only. Errors: `ContractViolation` for no layers, samples or runs, and as the pipeline;
/// `PipelineError` where a layer throws.
template <class Real = float, Executor E, class Batch, class Model, class Views>
LayerProfile profile_layers(E const& executor, PipelineOptions options, Batch batch, Model& model,
                            Views const& weights, std::size_t runs = 5) {
  std::size_t const layers = options.stages.size();
  if (layers == 0 || layers > 65536 || batch.size() == 0 || options.local_batch == 0 || runs == 0)
    throw ContractViolation("profile_layers: " + std::to_string(layers) + " layers, " +
                            std::to_string(batch.size()) + " samples in micro-batches of " +
                            std::to_string(options.local_batch) + ", " + std::to_string(runs) +
                            " runs; one or more of each, and at most 65536 layers, would be right");
  std::size_t const micro_batches = (batch.size() - 1) / options.local_batch + 1;
  options.recompute = Recompute::never;
  options.flushes_per_update = runs + 2;  // so that there is no update
  options.records_times = true;
  options.log = nullptr;
  for (StageLayout& layer : options.stages) layer.codec = EdgeCodec::none;

  InterleavedPipeline<E, Real> pipe{
      executor,
      detail::layer_by_layer(static_cast<std::uint32_t>(layers), static_cast<std::uint32_t>(micro_batches)),
      std::move(options)};
  pipe.core().units().bind(weights);
  std::vector<std::int64_t> shortest(pipe.table().operations().size(), INT64_MAX);
  for (std::size_t run = 0; run <= runs; ++run) {
    pipe.start(pipe(batch, model));
    pipe.wait_for_workers();
    if (auto const failure = pipe.core().watch().take_failure()) std::rethrow_exception(failure);
    Timeline const times = pipe.timeline();
    for (std::size_t i = 0; run != 0 && i < shortest.size(); ++i) {
      std::int64_t const taken = times.end[i] - times.start[i];
      if (taken < shortest[i]) shortest[i] = taken;
    }
  }
  std::vector<std::int64_t> const begin(shortest.size(), 0);
  Timeline const times = pipe.timeline();
  return {fit_costs({times.table, begin, shortest, times.ticks_per_unit}).stages};
}

}  // namespace weir::inline v1
