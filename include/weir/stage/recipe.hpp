#pragma once

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/stage/bound_recipe.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/stage/stage_workspace.hpp"
#include "weir/tensor/concepts.hpp"

namespace weir::inline v1 {

namespace detail {
template <class Stage>
inline constexpr bool needs_unscaled_gradients = requires {
  requires Stage::needs_unscaled_gradients;
};

/// By stage: whether one that is `behind` comes behind one that is `before`, and none that `parts` them is in
/// between.
template <std::size_t Count>
constexpr bool comes_behind(bool const (&behind)[Count], bool const (&before)[Count],
                            bool const (&parts)[Count] = {}) {
  bool has_come = false;
  for (std::size_t stage = 0; stage < Count; ++stage) {
    if (has_come && behind[stage]) return true;
    has_come = (has_come && !parts[stage]) || before[stage];
  }
  return false;
}

/// Where two accumulate, the first hands on one gradient of a step, and the second waits for m of them.
template <class... Stages>
inline constexpr bool accumulates_once = (std::size_t{accumulates<Stages>} + ... + 0) <= 1;

/// Makes the compiler say what a stage needs and does not get.
template <class Stage, Executor E, class Real>
void explain(Stage const& stage, RecipeContext<E, Real> const* context) {
  static_assert(
      StageOn<Stage, E, Real>,
      "this stage cannot be bound: its executor lacks a verb, or its communicator an operation; the "
      "compiler names it below");
  if constexpr (!StageOn<Stage, E, Real>) stage.on(*context);
}
}  // namespace detail

/// Weights as a recipe takes them: one view, or a list of views in registration order.
template <class W>
concept WeightViews = requires {
  typename detail::WeightElement<W>::type;
};

/// Stages in order, as a value; itself a stage, so that recipes can be composed. `on` binds it to a source
/// and weights.
template <GradientStage... Stages>
class Recipe {
 public:
  using consumes = typename std::tuple_element_t<0, std::tuple<Stages...>>::consumes;
  using produces = typename std::tuple_element_t<sizeof...(Stages) - 1, std::tuple<Stages...>>::produces;

  explicit Recipe(std::tuple<Stages...> stages) : stages_(std::move(stages)) {}

  std::tuple<Stages...> const& stages() const { return stages_; }

  /// Allocates everything, once. The source, the weights and what the stages borrow outlive the result, and
  /// they stay where they are. Errors: `ContractViolation` if sizes do not fit; `OutOfMemory`.
  template <GradientSource Source, WeightViews Views>
  requires Feeds<Source, Recipe> && EndsInUpdate<Recipe>
  auto on(Source& source, Views const& weights, BindOptions options = {}) const {
    using E = typename Source::executor_type;
    using Real = typename Source::real_type;
    using Given = detail::WeightElement<Views>;
    static_assert(
        !std::is_const_v<typename Given::type>,
        "these weights are constant, but a recipe updates them: give it a view of mutable elements");
    static_assert(std::same_as<std::remove_const_t<typename Given::type>, Real>,
                  "the weights and the source's real type differ: StreamWorkerPool<Executor, double> for "
                  "double weights");
    static_assert(std::same_as<typename Given::space, typename E::memory_space>,
                  "the weights are not in the memory of the source's executor");
    static_assert(
        !detail::comes_behind({detail::takes_loss_scale_out<Stages>...},
                              {detail::needs_unscaled_gradients<Stages>...}),
        "the loss scale would be in what a sparsifier keeps or a local clip bounds, which also hides "
        "overflows from it: LossScale belongs before it");
    static_assert(
        !detail::comes_behind({detail::sums_over_ranks<Stages>...}, {detail::scales_gradient<Stages>...},
                              {std::same_as<typename Stages::produces, Sparse>...}),
        "each rank would scale or skip the sum of all of them by what it has found in its own gradient: Clip "
        "and LossScale belong behind the all-reduce, LocalClip and LossScale before a sparsifier");
    static_assert(detail::accumulates_once<Stages...>,
                  "two stages accumulate micro-batches, and the second would never let a bucket pass: one "
                  "GradAccumulator of all micro-batches belongs here");
    static_assert(
        !detail::comes_behind({detail::updates_every_parameter<Stages>...},
                              {detail::marks_used_parameters<Stages>...}),
        "a sharded update does not know which parameters are used: AllReduce | UsedParameters | the "
        "optimizer itself would be right");
    constexpr bool are_weights = std::constructible_from<Weights<E, Real>, Views const&, BucketPlan const&>;
    if constexpr (are_weights && (StageOn<Stages, E, Real> && ...)) {
      return BoundRecipe<Source, Stages...>(source, Weights<E, Real>(weights, source.plan()), stages_,
                                            options);
    } else {
      RecipeContext<E, Real> const* const context = nullptr;
      std::apply([=](Stages const&... stage) { (detail::explain(stage, context), ...); }, stages_);
    }
  }

  /// The same for a source in parts that each feed a recipe, such as a pipeline.
  template <class Source, WeightViews Views>
  requires EndsInUpdate<Recipe> &&
      (!GradientSource<Source>)auto on(Source& source, Views const& weights,
                                       BindOptions options = {}) const requires requires {
    source.bind(*this, weights, options);
  }
  { return source.bind(*this, weights, options); }

  /// What `on` allocates for weights of type `Real`, besides what communicators reserve. Units: bytes.
  template <class Real = float>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout layout) const {
    layout.micro_batches = 1;
    std::size_t bytes = 0;
    std::vector<std::size_t> sparse_capacity;
    auto const look = [&]<class Stage>(Stage const& stage) {
      if constexpr (detail::accumulates<Stage>) layout.micro_batches *= stage.micro_batches();
      if constexpr (requires { stage.sparse_capacity(plan); }) sparse_capacity = stage.sparse_capacity(plan);
    };
    auto const add = [&]<class Stage>(Stage const& stage) {
      bytes += detail::stage_workspace_bytes<Real>(stage, plan, layout, sparse_capacity);
    };
    std::apply([&](Stages const&... stage) { (look(stage), ...), (add(stage), ...); }, stages_);
    return bytes;
  }

 private:
  std::tuple<Stages...> stages_;
};

namespace detail {
template <class Stage>
std::tuple<Stage> stages_of(Stage const& stage) {
  return {stage};
}
template <class... Stages>
std::tuple<Stages...> stages_of(Recipe<Stages...> const& recipe) {
  return recipe.stages();
}
}  // namespace detail

/// Appends a stage or a recipe to another, if the one gives what the other takes.
template <GradientStage First, GradientStage Second>
requires Feeds<First, Second>
auto operator|(First const& first, Second const& second) {
  return Recipe(std::tuple_cat(detail::stages_of(first), detail::stages_of(second)));
}

}  // namespace weir::inline v1
