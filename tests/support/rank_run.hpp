#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "support/collect.hpp"
#include "support/network.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/state/archive.hpp"
#include "weir/workers/stream_worker_pool.hpp"

/// A stage that keeps the gradient of the last step, in registration order, and passes it on.
template <class Real = float>
class KeepGradient {
 public:
  using consumes = weir::Dense;
  using produces = weir::Dense;
  static constexpr char const* name = "keep gradient";

  explicit KeepGradient(std::vector<Real>& kept) : kept_(&kept) {}

  template <weir::HostOrderedExecutor E>
  auto on(weir::RecipeContext<E, Real> const& context) const {
    return [kept = kept_, plan = &context.plan](weir::DenseGradient<E, Real> gradient) {
      gradient.materialise();
      kept->resize(plan->elements());
      put_in_registration_order(*plan, gradient, *kept);
      return gradient;
    };
  }

 private:
  std::vector<Real>* kept_;
};

/// One rank that trains the network: its weights, its pool, and a recipe whose `stages` follow the sum over
/// its workers.
template <class Stages, class Real = float>
struct RankRun {
  RankRun(weir::WorkLayout layout, Stages const& stages)
      : pool(executor, {.workers = layout.workers,
                        .buckets = network::plan(weir::element_type_of<Real>),
                        .local_batch = layout.local_batch,
                        .seed = 3}),
        sync(recipe(layout.micro_batches, stages).on(pool, weir::view(weights))) {}

  static auto recipe(std::size_t micro_batches, Stages const& stages) {
    return weir::GradAccumulator{micro_batches} | weir::LocalAggregator{} | stages;
  }

  /// The samples of the next step of all ranks, which lacks the last `missing`.
  network::Batch next_batch(std::size_t missing = 0) {
    static auto const data = network::samples(4000);
    std::size_t const size = sync.ranks().total_micro_batches() * sync.layout().local_batch;
    return network::Batch(data).subspan(sync.consumed(), size - missing);
  }

  void train(int steps, std::size_t missing = 0) {
    auto const model = network::model();
    for (int step = 0; step < steps; ++step) {
      sync(pool(next_batch(missing), model));
      sync.wait();
    }
  }

  weir::Archive saved() {
    weir::Archive archive;
    sync.save(archive);
    return weir::Archive::from_bytes(archive.bytes());
  }

  weir::HostExecutor executor;
  std::vector<Real> weights = network::initial_weights<Real>();
  weir::StreamWorkerPool<weir::HostExecutor, Real> pool;
  decltype(recipe(1, std::declval<Stages const&>()).on(pool, weir::view(weights))) sync;
};
