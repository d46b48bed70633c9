#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/exec/span_scope.hpp"
#include "weir/stage/bound_stage.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/stage/failure_place.hpp"

namespace weir::inline v1 {

namespace detail {
template <class Stage>
constexpr char const* stage_name() {
  if constexpr (requires { Stage::name; }) {
    return Stage::name;
  } else {
    return "stage";
  }
}

template <class Stage>
std::string describe(Stage const& stage) {
  std::string text = stage_name<Stage>();
  if constexpr (requires { stage.text(); }) text += " (" + stage.text() + ")";
  return text;
}

template <class Bound>
inline constexpr bool has_watch = requires(Bound& bound) {
  bound[0].watch();
};
}  // namespace detail

/// The bound stages of a recipe, and how a bucket runs through them.
///
/// The leading stages that keep the form `PerWorker` take one worker's gradient; the others the gradients of
/// all workers. Where a stage needs all buckets, each bucket is held until the last has come, and then all go
/// on in bucket order.
template <Executor E, class Real, GradientStage... Stages>
class StageChain {
 public:
  StageChain(std::tuple<Stages...> const& stages, RecipeContext<E, Real> const& context, SpanSink* spans,
             std::size_t rank)
      : bound_(bind(stages, context)), held_(context.plan.size()), spans_(spans), rank_(rank) {
    StageChain& chain = *this;  // nvcc does not know *this in a requires-expression of a lambda
    for_each([&chain](auto& object) {
      if constexpr (requires { object.link(chain); }) object.link(chain);
    });
  }

  static constexpr std::size_t size = sizeof...(Stages);

  /// Whether a bound stage has `watch()`.
  static constexpr bool is_watched = (detail::has_watch<BoundStage<Stages, E, Real>> || ...);

  /// The stages as they are written, with what they tell of their options:
  /// "aggregate (mean over samples, automatic) | all-reduce | clip (norm 1.000000)".
  static std::string description(std::tuple<Stages...> const& stages) {
    std::string text;
    std::apply(
        [&](Stages const&... stage) {
          ((text += (text.empty() ? "" : " | ") + detail::describe(stage)), ...);
        },
        stages);
    return text;
  }

  template <std::size_t Index>
  auto& stage() {
    return std::get<Index>(bound_);
  }

  /// Calls `f(object)` for each bound object of each stage.
  template <class Function>
  void for_each(Function const& f) {
    std::apply([&](auto&... stage) { (stage.for_each(f), ...); }, bound_);
  }

  /// Lets each stage take the memory that it needs for another layout. Calling the result, which cannot fail,
  /// puts it in place; destroying the result uncalled gives it back.
  auto prepare_resize(RecipeContext<E, Real> const& context) {
    return std::apply(
        [&](auto&... stage) {
          return [changes = std::tuple{prepare_resize(stage, context)...}]() mutable {
            std::apply([](auto&... change) { (change(), ...); }, changes);
          };
        },
        bound_);
  }

  /// Runs one worker's gradient through the stages before the join.
  std::optional<WorkerGradient<E>> on_worker(WorkerGradient<E> const& gradient) {
    return on_worker_from<0>(gradient);
  }

  /// Runs a bucket from the join up to the end or to the first stage that holds it.
  void on_device(PerWorkerGradient<E, Real> const& gradient) { advance<join>(gradient.bucket, gradient); }

  /// After the last bucket of a step: lets all that was held go on.
  void release(E const& point, StepInfo const& step) { release_from<join>(point, step); }

  /// Forgets what is still held of a step that has failed. True if the weights may have been changed in it.
  bool end_step() {
    for (auto& bucket : held_) {
      std::apply([](auto&... slot) { (slot.reset(), ...); }, bucket);
    }
    return std::exchange(has_updated_, false);
  }

 private:
  template <class Bound>
  static auto prepare_resize(Bound& stage, RecipeContext<E, Real> const& context) {
    if constexpr (requires { stage.object().prepare_resize(context); }) {
      return stage.object().prepare_resize(context);
    } else {
      return [] {};
    }
  }

  template <std::size_t Index>
  using Stage = std::tuple_element_t<Index, std::tuple<Stages...>>;

  /// The first stage that takes the gradients of all workers at once.
  static constexpr std::size_t first_joined() {
    bool const keeps[] = {std::same_as<typename Stages::produces, PerWorker>...};
    std::size_t index = 0;
    while (index < sizeof...(Stages) && keeps[index]) ++index;
    return index;
  }
  static constexpr std::size_t join = first_joined();

  template <std::size_t Index>
  using BoundAt = std::remove_reference_t<decltype(std::declval<BoundStage<Stage<Index>, E, Real>&>()[0])>;

  template <std::size_t Index>
  static auto input_of() {
    if constexpr (Index <= join) {
      return std::type_identity<PerWorkerGradient<E, Real>>{};
    } else {
      using Input = typename decltype(input_of<Index - 1>())::type;
      using Output = std::invoke_result_t<BoundAt<Index - 1>&, Input>;
      return std::type_identity<typename detail::WithoutOptional<Output>::type>{};
    }
  }
  struct Nothing {
    void reset() {}
  };
  template <std::size_t Index>
  static auto slot_of() {
    if constexpr (Index >= join && detail::needs_all_buckets<Stage<Index>>) {
      return std::optional<typename decltype(input_of<Index>())::type>{};
    } else {
      return Nothing{};
    }
  }
  template <std::size_t... Index>
  static auto slots_of(std::index_sequence<Index...>) {
    return std::tuple{slot_of<Index>()...};
  }
  using Held = decltype(slots_of(std::index_sequence_for<Stages...>{}));

  static std::tuple<BoundStage<Stages, E, Real>...> bind(std::tuple<Stages...> const& stages,
                                                         RecipeContext<E, Real> const& context) {
    return std::apply(
        [&](Stages const&... stage) {
          return std::tuple<BoundStage<Stages, E, Real>...>(StageBinding<Stages, E, Real>{stage, context}...);
        },
        stages);
  }

  template <std::size_t Index>
  std::optional<WorkerGradient<E>> on_worker_from(WorkerGradient<E> const& gradient) {
    if constexpr (Index == join) {
      return gradient;
    } else {
      std::optional<WorkerGradient<E>> const result = std::get<Index>(bound_)[gradient.bucket](gradient);
      return result ? on_worker_from<Index + 1>(*result) : std::nullopt;
    }
  }

  template <std::size_t Index, class Value>
  void advance(std::size_t bucket, Value const& value) {
    if constexpr (Index < size) {
      auto& stage = std::get<Index>(bound_)[bucket];
      if constexpr (detail::needs_all_buckets<Stage<Index>>) {
        if (!holds(stage)) return apply<Index>(bucket, value);
        auto& slot = std::get<Index>(held_[bucket]);
        slot = value;
        stage.prepare(*slot);
      } else {
        apply<Index>(bucket, value);
      }
    }
  }

  /// A stage whose options decide whether it needs all buckets has `holds()`.
  template <class Object>
  static bool holds(Object const& object) {
    if constexpr (requires { object.holds(); }) {
      return object.holds();
    } else {
      return true;
    }
  }

  template <std::size_t Index, class Value>
  void apply(std::size_t bucket, Value const& value) {
    auto& stage = std::get<Index>(bound_)[bucket];
    // Before the call, which may fail in the middle.
    if constexpr (std::same_as<typename Stage<Index>::produces, Applied>) has_updated_ = true;
    auto const result = try_call<Index>(stage, bucket, value);
    if constexpr (detail::WithoutOptional<std::remove_cv_t<decltype(result)>>::is_optional) {
      if (result) advance<Index + 1>(bucket, *result);
    } else {
      advance<Index + 1>(bucket, result);
    }
  }

  /// An update is put off where the next stage enqueues it together with its own work.
  template <std::size_t Index, class Object, class Value>
  static auto call(Object& object, Value const& value) {
    if constexpr (Index + 1 < size && requires { object.defer(value); }) {
      if constexpr (detail::takes_pending_update<Stage<Index + 1>>)
        return object.defer(value);
      else
        return object(value);
    } else {
      return object(value);
    }
  }

  template <std::size_t Index, class Object, class Value>
  auto try_call(Object& object, std::size_t bucket, Value const& value) const {
    SpanScope const span(spans_, {.name = detail::stage_name<Stage<Index>>(),
                                  .rank = static_cast<std::int32_t>(rank_),
                                  .bucket = static_cast<std::int32_t>(bucket),
                                  .step = value.step.number});
    try {
      return call<Index>(object, value);
    } catch (...) {
      rethrow_at({rank_, detail::stage_name<Stage<Index>>(), bucket, value.step.number});
    }
  }

  template <std::size_t Index>
  void release_from(E const& point, StepInfo const& step) {
    if constexpr (Index < size) {
      if constexpr (detail::needs_all_buckets<Stage<Index>>) {
        auto& stage = std::get<Index>(bound_).object();
        if (holds(stage)) stage.decide(point, step);
        for (std::size_t bucket = 0; bucket < held_.size(); ++bucket) {
          auto& slot = std::get<Index>(held_[bucket]);
          if (!slot) continue;
          auto const value = *std::exchange(slot, std::nullopt);
          apply<Index>(bucket, value);
        }
      }
      release_from<Index + 1>(point, step);
    }
  }

  std::tuple<BoundStage<Stages, E, Real>...> bound_;
  std::vector<Held> held_;    // by bucket: what waits at the stages that need all of them
  bool has_updated_ = false;  // in the step under way
  SpanSink* spans_;
  std::size_t rank_;
};

}  // namespace weir::inline v1
