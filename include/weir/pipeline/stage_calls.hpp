#pragma once

#include <cstddef>
#include <type_traits>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/pipeline_run.hpp"
#include "weir/pipeline/pipeline_stage.hpp"
#include "weir/pipeline/stage_micro.hpp"

namespace weir::inline v1::detail {

/// The samples of a micro-batch. Those after the end of the run are empty.
template <class Batch>
auto piece_of(Batch const& batch, PipelineRun const& run, std::size_t index) {
  std::size_t const size = index < run.micro_batches ? batch.size() : 0;
  std::size_t const offset = index * run.local_batch;
  std::size_t const begin = offset < size ? offset : size;
  std::size_t const count = size - begin < run.local_batch ? size - begin : run.local_batch;
  if constexpr (requires { batch.subspan(begin, count); }) {
    return batch.subspan(begin, count);
  } else {
    return batch.part(begin, count);  // a TensorView
  }
}

/// Calls `f(stage, micro)` with the stage that a call is of.
template <class Model, class Samples, class E, class Real, class Function>
void call_stage(Model& model, StageCall<E, Real>& call, Samples const& samples, Function const& f) {
  using AnyMicro = StageMicro<E, std::remove_const_t<Samples>, Real>;
  AnyMicro micro(call, samples);
  visit_stage<AnyMicro>(model, call.lane.stage, [&](auto& stage) {
    static_assert(PipelineStage<std::remove_reference_t<decltype(stage)>, AnyMicro>,
                  "a stage has forward(micro) and backward(micro), or backward_input(micro) and "
                  "backward_weight(micro)");
    f(stage, micro);
  });
}

/// Runs a backward, or a part of it. `gradient` opens the gradient of the weights before it is written, and
/// completes it behind.
template <class Stage, class AnyMicro, class Gradient>
void run_backward(Stage& stage, AnyMicro& micro, OperationKind kind, Gradient const& gradient) {
  if constexpr (SplitBackward<Stage, AnyMicro>) {
    if (kind != OperationKind::backward_weight) stage.backward_input(micro);
    if (kind == OperationKind::backward_input) return;
    gradient.open();
    stage.backward_weight(micro);
    gradient.complete();
  } else {
    if (kind == OperationKind::backward_weight) return;
    gradient.open();
    stage.backward(micro);
    gradient.complete();
  }
}

}  // namespace weir::inline v1::detail
