#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

namespace detail {
/// What `object` needs to be put in place for another layout; where it needs nothing, that does nothing.
template <class Object, Executor E, class Real>
auto prepare_resize_of(Object& object, RecipeContext<E, Real> const& context) {
  if constexpr (requires { object.prepare_resize(context); }) {
    return object.prepare_resize(context);
  } else {
    return [] {};
  }
}
}  // namespace detail

template <class Stage, Executor E, class Real>
struct StageBinding {
  Stage const& stage;
  RecipeContext<E, Real> const& context;
};

/// A stage bound to a recipe: one object for all buckets, or one per bucket, whichever its `on` makes.
///
/// An `on` allocates first and enqueues then; what it has enqueued has run before its memory goes.
template <class Stage, Executor E, class Real>
class BoundStage {
 public:
  BoundStage(StageBinding<Stage, E, Real> binding)
      : executor_(binding.context.executor),
        bound_(executor_.make_event()),
        objects_(bind(binding.stage, binding.context)) {
    executor_.record(bound_);
  }

  BoundStage(BoundStage const&) = delete;
  BoundStage& operator=(BoundStage const&) = delete;

  ~BoundStage() {
    try {
      executor_.synchronize(bound_);
    } catch (...) {  // a device that is gone has nothing enqueued
    }
  }

  /// The object that works on `bucket`.
  auto& operator[](std::size_t bucket) {
    if constexpr (is_shared) {
      return objects_;
    } else {
      return objects_[bucket];
    }
  }

  /// Calls `f(object)` for each object of this stage.
  template <class Function>
  void for_each(Function const& f) {
    if constexpr (is_shared) {
      f(objects_);
    } else {
      for (auto& object : objects_) f(object);
    }
  }

  /// Shared objects only.
  auto& object() requires(BindsToRecipe<Stage, E, Real>) { return objects_; }

 private:
  static constexpr bool is_shared = BindsToRecipe<Stage, E, Real>;

  static auto bind(Stage const& stage, RecipeContext<E, Real> const& context) {
    if constexpr (is_shared) {
      return stage.on(context);
    } else {
      std::vector<decltype(stage.on(std::declval<BucketContext<E, Real> const&>()))> objects;
      objects.reserve(context.plan.size());
      for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) {
        objects.push_back(stage.on(bucket_context(context, bucket)));
      }
      return objects;
    }
  }

  E executor_;
  typename E::event_type bound_;
  decltype(bind(std::declval<Stage const&>(), std::declval<RecipeContext<E, Real> const&>())) objects_;
};

}  // namespace weir::inline v1
