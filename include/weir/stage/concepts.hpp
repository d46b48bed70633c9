#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "weir/stage/context.hpp"
#include "weir/stage/form.hpp"

namespace weir::inline v1 {

/// A description of one step of a recipe: copyable, with the forms it takes and gives.
///
/// `on(BucketContext)` makes the object that works on one bucket, or `on(RecipeContext)` one that works on
/// all: a callable from the value of the one form to the value of the other, or to an optional of it, where
/// nullopt ends the recipe for this bucket and step. The bound object may also have
///   `link(chain)`, called once when all stages are bound, which finds another's by `chain.for_each`;
///   `begin_step(executor, step)` before the first bucket of a step, `end_step(executor, step)` after the
///   last, or, in a step that has failed, `cancel_step(executor)`, whether or not it was begun;
///   `abort()`, called once, from any thread, when a step has failed;
///   on a device, `watch()`, called again and again by who waits for a step, which throws when it cannot end,
///   and `raise()`, called when it has ended, which throws what was found out there.
/// `text()` of a stage tells its options in words, for checkpoints; `sparse_capacity(plan)` of one that
/// sparsifies, by bucket, how many pairs it gives at most, which all stages find in the context.
/// A stage with `static constexpr bool needs_unscaled_gradients = true` may come before none that
/// `takes_loss_scale_out`.
/// What one with `scales_gradient` decides, it decides by what this rank has: it may come before none that
/// `sums_over_ranks`, unless one that gives `Sparse`, which applies it, is in between.
/// One with `updates_every_parameter` may come behind none that `marks_used_parameters`.
/// A stage with `static constexpr bool needs_all_buckets = true` cuts the recipe: its bound object sees each
/// bucket in `prepare(gradient)`, then `decide(executor, step)` once, then every bucket again in its call.
/// A stage that takes `Applied` and has `static constexpr bool takes_pending_update = true` is given updates
/// that are pending, where the optimizer before it has `defer(gradient)`, and calls `materialise`.
template <class S>
concept GradientStage = std::copyable<S> && requires {
  typename S::consumes;
  typename S::produces;
};

namespace detail {
template <class Consumed, class Form>
inline constexpr bool accepts = std::same_as<Consumed, Form>;
template <class... Forms, class Form>
inline constexpr bool accepts<OneOf<Forms...>, Form> = (std::same_as<Forms, Form> || ...);

template <class T>
struct WithoutOptional {
  using type = T;
  static constexpr bool is_optional = false;
};
template <class T>
struct WithoutOptional<std::optional<T>> {
  using type = T;
  static constexpr bool is_optional = true;
};

template <class S>
inline constexpr bool needs_all_buckets = requires {
  requires S::needs_all_buckets;
};

template <class S>
inline constexpr bool takes_loss_scale_out = requires {
  requires S::takes_loss_scale_out;
};

template <class S>
inline constexpr bool scales_gradient = requires {
  requires S::scales_gradient;
};

template <class S>
inline constexpr bool sums_over_ranks = requires {
  requires S::sums_over_ranks;
};

template <class S>
inline constexpr bool takes_pending_update = requires {
  requires S::takes_pending_update;
};

template <class S>
inline constexpr bool marks_used_parameters = requires {
  requires S::marks_used_parameters;
};

template <class S>
inline constexpr bool updates_every_parameter = requires {
  requires S::updates_every_parameter;
};

/// Takes each worker's gradient once per micro-batch, and lets it pass after the last one.
template <class S>
inline constexpr bool accumulates = requires(S const& stage) {
  stage.micro_batches();
};
}  // namespace detail

/// What the producer gives is what the consumer takes.
template <class Producer, class Consumer>
concept Feeds = detail::accepts<typename Consumer::consumes, typename Producer::produces>;

/// The weights have been updated at its end, so that it can be bound.
template <class S>
concept EndsInUpdate = std::same_as<typename S::produces, Applied>;

template <class S, class E, class Real>
concept BindsToRecipe = requires(S const& stage, RecipeContext<E, Real> const& context) {
  stage.on(context);
};

template <class S, class E, class Real>
concept BindsToBucket = requires(S const& stage, BucketContext<E, Real> const& context) {
  stage.on(context);
};

/// The stage can be bound on this executor: the backend has the verbs, and the communicator the operations,
/// that it needs.
template <class S, class E, class Real = float>
concept StageOn = GradientStage<S> &&(BindsToRecipe<S, E, Real> || BindsToBucket<S, E, Real>);

/// Something that gives the gradients of k workers to a `GradientSink`.
template <class S>
concept GradientSource = requires(S& source, S const& constant, std::size_t index) {
  typename S::executor_type;
  typename S::real_type;
  typename S::produces;
  { constant.executor() } -> std::convertible_to<typename S::executor_type>;
  { constant.workers() } -> std::same_as<std::size_t>;
  { constant.local_batch() } -> std::same_as<std::size_t>;
  { constant.plan() } -> std::convertible_to<BucketPlan const&>;
  { source.used(index) } -> std::same_as<std::uint8_t*>;
  source.resize(WorkLayout{});
  { S::runs_micro_batches } -> std::convertible_to<bool>;
};

}  // namespace weir::inline v1
