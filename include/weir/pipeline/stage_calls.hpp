#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "weir/core/error.hpp"
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

/// Puts a generator back to what it is now when it ends.
template <class Generator>
class KeptGenerator {
 public:
  explicit KeptGenerator(Generator& generator) : generator_(generator), now_(generator) {}
  KeptGenerator(KeptGenerator const&) = delete;
  KeptGenerator& operator=(KeptGenerator const&) = delete;
  ~KeptGenerator() { generator_ = now_; }

 private:
  Generator& generator_;
  Generator now_;
};

/// Runs a forward, or a recomputation, for which a generator that the stage has is as its forward found it.
/// `kept`: where it is kept meanwhile; null: nothing is recomputed.
template <class Stage, class AnyMicro>
void run_forward(Stage& stage, AnyMicro& micro, std::vector<std::byte>* kept) {
  if constexpr (GeneratingStage<Stage, AnyMicro>) {
    auto& generator = stage.generator(micro);
    using Generator = std::remove_reference_t<decltype(generator)>;
    static_assert(std::is_trivially_copyable_v<Generator>,
                  "a generator is kept as its bytes, so it is trivially copyable");
    if (kept != nullptr && kept->size() != sizeof(Generator))
      throw ContractViolation("stage " + std::to_string(micro.stage()) + " has a generator of " +
                              std::to_string(sizeof(Generator)) + " bytes, StageLayout::generator_bytes is " +
                              std::to_string(kept->size()));
    if (kept != nullptr && micro.is_recompute()) {
      KeptGenerator<Generator> const now(generator);
      std::memcpy(&generator, kept->data(), sizeof(Generator));
      stage.forward(micro);
      return;
    }
    if (kept != nullptr) std::memcpy(kept->data(), &generator, sizeof(Generator));
  }
  stage.forward(micro);
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
