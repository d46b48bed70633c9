#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/exec/vocabulary.hpp"
#include "weir/stage/weights.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir::inline v1 {

/// How the work of a rank is cut: k workers, each with m micro-batches of b samples, per step.
struct WorkLayout {
  std::size_t workers = 1;
  std::size_t micro_batches = 1;
  std::size_t local_batch = 1;
};

/// What a stage may use when it is bound to a whole recipe: `on(RecipeContext)` makes one object for all
/// buckets. Everything referred to outlives the bound stage.
template <Executor E, class Real = float>
struct RecipeContext {
  E executor;  // the stream that reduces; for allocations too
  E home;      // the caller's stream
  BucketPlan const& plan;
  Weights<E, Real> const& weights;
  WorkLayout const& layout;
  std::vector<std::uint8_t*> const&
      used;  // by worker: one flag per parameter, set when the worker asked for its gradient
  std::vector<std::size_t> const* sparse_capacity =
      nullptr;  // by bucket: how many pairs the sparsifier of the recipe gives at most, if it has one
};

/// What a stage may use when it is bound to one bucket: `on(BucketContext)` makes one object per bucket.
template <Executor E, class Real = float>
struct BucketContext {
  E executor;                               // the stream that reduces; for allocations too
  std::size_t bucket = 0;                   // stable index
  std::size_t size = 0;                     // elements
  ElementType type = ElementType::float32;  // of the workers' gradients
  std::size_t workers = 1;
  std::vector<WeightSegment<E, Real>> weights;
};

template <Executor E, class Real>
BucketContext<E, Real> bucket_context(RecipeContext<E, Real> const& context, std::size_t bucket) {
  return {context.executor,          bucket,
          context.plan[bucket].size, context.plan[bucket].type,
          context.layout.workers,    context.weights.segments(context.plan, bucket)};
}

}  // namespace weir::inline v1
