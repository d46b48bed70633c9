#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weir::inline v1 {

namespace detail {
template <class T>
concept LvalueReference = std::is_lvalue_reference_v<T>;
}  // namespace detail

/// A stage whose backward is one call.
template <class S, class AnyMicro>
concept WholeBackward = requires(S& stage, AnyMicro& micro) {
  stage.backward(micro);
};

/// A stage whose backward is cut: first the gradient of its input, later those of its weights.
template <class S, class AnyMicro>
concept SplitBackward = requires(S& stage, AnyMicro& micro) {
  stage.backward_input(micro);
  stage.backward_weight(micro);
};

/// A stage of a pipeline. Where a schedule splits the backward of one that does not, its first part does all
/// and the second nothing. It is called by one worker at a time, but not always by the same thread.
template <class S, class AnyMicro>
concept PipelineStage = requires(S& stage, AnyMicro& micro) {
  stage.forward(micro);
}
&&(WholeBackward<S, AnyMicro> || SplitBackward<S, AnyMicro>);

/// A stage with random numbers of its own, from a generator that goes on from call to call: where its
/// forward is recomputed, the generator is put back for that time to what it was. `generator(micro)` refers
/// to that of stage `micro.stage()`, `StageLayout::generator_bytes` is its size. `micro.random(site)` needs
/// none of this.
template <class S, class AnyMicro>
concept GeneratingStage = requires(S& stage, AnyMicro& micro) {
  { stage.generator(micro) } -> detail::LvalueReference;
};

namespace detail {

template <class Model, class Function, std::size_t... Index>
void visit_tuple(Model& model, std::size_t stage, Function const& f, std::index_sequence<Index...>) {
  ((Index == stage ? f(std::get<Index>(model)) : void()), ...);
}

/// Calls `f` with a stage of a model: of one that is a stage itself, for all of them; of a list of stages; of
/// a tuple of stages.
template <class AnyMicro, class Model, class Function>
void visit_stage(Model& model, std::size_t stage, Function const& f) {
  if constexpr (PipelineStage<Model, AnyMicro>) {
    f(model);
  } else if constexpr (requires { model[stage]; }) {
    f(model[stage]);
  } else {
    constexpr std::size_t size = std::tuple_size_v<std::remove_const_t<Model>>;
    visit_tuple(model, stage, f, std::make_index_sequence<size>());
  }
}

}  // namespace detail
}  // namespace weir::inline v1
