#include "weir/stage/concepts.hpp"

#include <optional>

#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/clip.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace {

using E = weir::HostExecutor;
using Accumulate = weir::GradAccumulator<>;
using Aggregate = weir::LocalAggregator<>;
using Reduce = weir::AllReduce<weir::SelfCommunicator>;

static_assert(weir::GradientStage<Accumulate> && weir::GradientStage<Aggregate> &&
              weir::GradientStage<weir::Sgd>);
static_assert(!weir::GradientStage<int>);

static_assert(weir::Feeds<Accumulate, Aggregate>);
static_assert(weir::Feeds<Aggregate, Reduce> && weir::Feeds<Reduce, weir::Clip> &&
              weir::Feeds<weir::Clip, weir::Sgd>);
static_assert(!weir::Feeds<Aggregate, Accumulate>);
static_assert(!weir::Feeds<Accumulate, Reduce>);
static_assert(!weir::Feeds<weir::Sgd, Reduce>);

struct TakesBoth {
  using consumes = weir::OneOf<weir::Dense, weir::Sparse>;
  using produces = weir::Applied;
  auto on(weir::BucketContext<E> const&) const {
    return [](auto const& gradient) { return gradient; };
  }
};
struct GivesSparse {
  using consumes = weir::Dense;
  using produces = weir::Sparse;
};
static_assert(weir::Feeds<Aggregate, TakesBoth> && weir::Feeds<GivesSparse, TakesBoth>);
static_assert(!weir::Feeds<Accumulate, TakesBoth>);
static_assert(!weir::Feeds<GivesSparse, weir::Sgd>);

static_assert(weir::EndsInUpdate<weir::Sgd> && weir::EndsInUpdate<TakesBoth>);
static_assert(!weir::EndsInUpdate<weir::Clip>);

static_assert(weir::BindsToRecipe<weir::Sgd, E, float> && weir::BindsToRecipe<weir::Sgd, E, double>);
static_assert(!weir::BindsToBucket<weir::Sgd, E, float>);
static_assert(weir::BindsToBucket<TakesBoth, E, float> && !weir::BindsToRecipe<TakesBoth, E, float>);
static_assert(weir::StageOn<TakesBoth, E> && weir::StageOn<weir::Clip, E, double>);
static_assert(!weir::StageOn<GivesSparse, E>);  // no `on`

static_assert(weir::GradientSource<weir::StreamWorkerPool<E>>);
static_assert(weir::GradientSource<weir::StreamWorkerPool<E, double>>);
static_assert(!weir::GradientSource<weir::Sgd>);

static_assert(weir::detail::needs_all_buckets<weir::Clip> && !weir::detail::needs_all_buckets<weir::Sgd>);
static_assert(weir::detail::WithoutOptional<std::optional<int>>::is_optional);
static_assert(!weir::detail::WithoutOptional<int>::is_optional);

}
