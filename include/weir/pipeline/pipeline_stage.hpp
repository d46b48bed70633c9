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
/// and the second nothing. Calls for one stage are of one worker at a time, but not always of the same
/// thread; under a schedule of two directions two workers may make them at once.
template <class S, class AnyMicro>
concept PipelineStage = requires(S& stage, AnyMicro& micro) {
  stage.forward(micro);
}
&&(WholeBackward<S, AnyMicro> || SplitBackward<S, AnyMicro>);

/// A stage with random numbers of its own, from a generator that goes on from call to call: where its
/// forward is recomputed, the generator is put back for that time to what it was. `generator(micro)` refers
/// to that of stage `micro.stage()`, `StageLayout::generator_bytes` is its size. `micro.random(site)` needs
/// none of this. Not for schedules of two directions, where two workers would draw from it at once.
template <class S, class AnyMicro>
concept GeneratingStage = requires(S& stage, AnyMicro& micro) {
  { stage.generator(micro) } -> detail::LvalueReference;
};

namespace detail {

template <class Model, class Function, std::size_t... Index>
void visit_tuple(Model& model, std::size_t stage, Function const& f, std::index_sequence<Index...>) {
  ((Index == stage ? f(std::get<Index>(model)) : void()), ...);
}

/// Whether a stage of a model is a `GeneratingStage`.
template <class AnyMicro, class Model>
constexpr bool has_generator() {
  if constexpr (PipelineStage<Model, AnyMicro>) {
    return GeneratingStage<Model, AnyMicro>;
  } else if constexpr (requires(Model & model, std::size_t stage) { model[stage]; }) {
    using Stage = decltype(std::declval<Model&>()[std::size_t{}]);
    return GeneratingStage<std::remove_reference_t<Stage>, AnyMicro>;
  } else if constexpr (requires { std::tuple_size<std::remove_const_t<Model>>::value; }) {
    return []<std::size_t... Index>(std::index_sequence<Index...>) {
      return (GeneratingStage<std::tuple_element_t<Index, Model>, AnyMicro> || ...);
    }
    (std::make_index_sequence<std::tuple_size_v<std::remove_const_t<Model>>>());
  } else {
    return false;
  }
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
