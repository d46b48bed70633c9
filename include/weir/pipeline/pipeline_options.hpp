#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/core/clock.hpp"
#include "weir/pipeline/edge_codec.hpp"
#include "weir/pipeline/loss_weight.hpp"
#include "weir/pipeline/skip_edge.hpp"
#include "weir/pipeline/stage_bytes.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir::inline v1 {

class ReplayLog;

/// A tensor that one stage hands to the next.
struct EdgeTensor {
  std::size_t elements = 1;  // of one sample
  bool has_gradient = true;
};

/// What the executor has to know of a stage.
struct StageLayout {
  std::vector<std::size_t> parameters = {};  // elements of each, in registration order
  std::vector<EdgeTensor> outputs = {};      // none for the last stage
  EdgeCodec codec = EdgeCodec::none;         // of the outputs and their gradients between workers
  std::size_t saved = 0;                     // elements of one sample that the forward leaves to the backward
  std::size_t generator_bytes = 0;           // of a generator that is kept for recomputations
  bool is_empty = false;                     // without layers: hands on what it gets; the rest does not count
};

/// A parameter of a stage.
struct StageParameter {
  std::size_t stage = 0;
  std::size_t parameter = 0;
};

/// The same parameter in several stages, in ascending order. Among the weights of a process it is where the
/// first of them that is there registers it. Processes that have it start with the same weights.
using TiedParameter = std::vector<StageParameter>;

/// What becomes of micro-batches that do not fill a period, where there is no flush.
enum class Remainder : std::uint8_t {
  error,    // the run is refused
  drop,     // they are left out
  partial,  // a last update over what there is
};

struct PipelineOptions {
  std::vector<StageLayout> stages = {};
  std::size_t local_batch = 1;  // samples of a full micro-batch
  std::uint64_t seed = 0;       // of `StageMicro::random`
  LossWeight loss_weight = {};  // of micro-batches, in `StageMicro::loss_scale`
  Recompute recompute = Recompute::never;
  std::vector<SkipEdge> skip_edges = {};
  std::vector<TiedParameter> tied = {};
  Remainder remainder = Remainder::error;
  std::size_t flushes_per_update = 1;  // where there is a flush: gradients are summed over so many
  std::size_t replica = 0;             // of this pipeline among those that share an `AllReduce`
  std::size_t replicas = 0;            // how many there are; 0: not said, samples are counted, on a host
  std::chrono::milliseconds watchdog{60'000};  // without any progress
  std::size_t first_bucket_bytes = BucketPlan::default_first_cap;
  std::size_t bucket_bytes = BucketPlan::default_cap;
  bool records_times = false;  // of every operation, for `timeline()`
  ReplayLog* log = nullptr;    // of what operations take in and give; outlives the pipeline
};

}  // namespace weir::inline v1
