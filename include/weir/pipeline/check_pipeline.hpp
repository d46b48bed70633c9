#pragma once

#include <cstddef>
#include <string>

#include "weir/core/error.hpp"
#include "weir/pipeline/cell_text.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/validate.hpp"

namespace weir::inline v1::detail {

/// Refuses what the pipeline inserts itself: its memory is for its own.
template <class Refuse>
void check_given(TableView const& table, Refuse const& refuse) {
  for (Operation const& operation : table.operations()) {
    bool const is_recompute = operation.kind == OperationKind::recompute;
    bool const is_update = operation.kind == OperationKind::update;
    if (!is_recompute && !is_update && operation.kind != OperationKind::predict) continue;
    refuse("the table has " + cell_text(operation) + ", and the pipeline adds its " +
           (is_recompute ? "recomputations itself, as PipelineOptions::recompute says"
            : is_update  ? "updates itself"
                         : "predictions itself, for a store that is Predicted") +
           ": the table without them would be right");
  }
}

/// `is_issued`: one thread gives the work of all workers to streams of a device. `has_sparsifier`: for edges.
/// Errors: `ContractViolation` for a table that breaks a rule, or options that do not fit it.
inline void check_pipeline(TableView const& table, PipelineOptions const& options, bool is_issued = false,
                           bool has_sparsifier = false) {
  auto const refuse = [](std::string const& text) {
    throw ContractViolation("InterleavedPipeline: " + text);
  };
  if (options.stages.size() != table.stages())
    refuse(std::to_string(options.stages.size()) + " stage layouts for a table of " +
           std::to_string(table.stages()) + " stages");
  if (options.local_batch == 0) refuse("a local batch of 0 samples, at least 1 is needed");
  if (options.replicas != 0 && options.replica >= options.replicas)
    refuse("replica " + std::to_string(options.replica) + " of " + std::to_string(options.replicas) +
           "; they are numbered from 0");
  if (options.flushes_per_update == 0) refuse("an update after 0 flushes, at least 1 is needed");
  if (options.flushes_per_update != 1 && !table.synchronous())
    refuse("flushes_per_update is for schedules with a flush; this one updates after every period");
  if (is_issued) {
    if (options.log != nullptr) refuse("a log is filled on the host only, where the messages are");
    if (options.records_times)
      refuse("records_times on a device would tell when work is enqueued, not when it runs");
    for (StageLayout const& stage : options.stages) {
      if (stage.codec != EdgeCodec::none)
        refuse("a codec is for edges of the host; EdgeCodec::none would be right");
    }
  }
  bool is_sparsifier_used = false;
  for (std::size_t stage = 0; stage < options.stages.size(); ++stage) {
    if (options.stages[stage].is_empty || options.stages[stage].codec != EdgeCodec::sparse) continue;
    if (stage + 1 < options.stages.size() && !options.stages[stage].outputs.empty())
      is_sparsifier_used = true;
    if (!has_sparsifier)
      refuse("the codec of stage " + std::to_string(stage) +
             " is EdgeCodec::sparse, and the pipeline was given no sparsifier; "
             "ErrorFeedback{ThresholdSparsifier{..}} behind the transport would be right");
  }
  if (has_sparsifier && !is_sparsifier_used)
    refuse(
        "a sparsifier, and no stage whose codec is EdgeCodec::sparse and that sends outputs; with neither "
        "all would be sent");
  check_given(table, refuse);
  for (SkipEdge const& skip : options.skip_edges) {
    if (skip.from + 1 >= skip.to || skip.to >= table.stages())
      refuse("a skip edge from stage " + std::to_string(skip.from) + " to " + std::to_string(skip.to) +
             ": it would have to end at a stage at least two further on");
  }
  Validation const validation = validate(table, {.skip_edges = options.skip_edges});
  if (!validation) refuse("the table is not valid: " + validation.text().front());
}

}  // namespace weir::inline v1::detail
