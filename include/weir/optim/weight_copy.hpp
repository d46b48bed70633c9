#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

/// Keeps 16-bit copies of 32-bit master weights: after an update the bucket is rounded into them.
///
/// The recipe is bound to the master weights; the models read the copies. `Copies` is one view or a list of
/// views in registration order. Cost: one pass per bucket; no memory.
template <class Copies>
class WeightCopy {
 public:
  using consumes = Applied;
  using produces = Applied;
  static constexpr char const* name = "copy weights";

  explicit WeightCopy(Copies copies) : copies_(std::move(copies)) {}

  template <Executor E, class Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, copies_);
  }

 private:
  template <class Views>
  struct ElementOf {
    using type = typename Views::element_type;
  };
  template <class View>
  struct ElementOf<std::vector<View>> {
    using type = typename View::element_type;
  };
  using Element = typename ElementOf<Copies>::type;

  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, Copies const& copies)
        : plan_(&context.plan), weights_(&context.weights), copies_(copies, context.plan) {
      refresh(context.executor);
    }

    AppliedGradient<E> operator()(AppliedGradient<E> const& applied) {
      copy_bucket(applied.executor, applied.bucket);
      return applied;
    }

    void refresh(E const& executor) {
      for (std::size_t bucket = 0; bucket < plan_->size(); ++bucket) copy_bucket(executor, bucket);
    }

   private:
    void copy_bucket(E const& executor, std::size_t bucket) {
      for (std::size_t parameter : (*plan_)[bucket].parameters)
        copy(executor, ViewOn<Real const, E>((*weights_)[parameter]), copies_[parameter]);
    }

    BucketPlan const* plan_;
    Weights<E, Real> const* weights_;
    Weights<E, Element> copies_;
  };

  Copies copies_;
};

}  // namespace weir::inline v1
