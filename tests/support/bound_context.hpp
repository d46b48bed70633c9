#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/host/executor.hpp"
#include "weir/stage/context.hpp"
#include "weir/stage/form.hpp"

/// All that a stage is bound with: two buckets of one element each (parameter 1, then 0), two workers.
struct BoundContext {
  using E = weir::HostExecutor;

  weir::HostExecutor home;
  weir::HostExecutor stream = home.fork();
  weir::BucketPlan plan = weir::BucketPlan::by_bytes({4, 4}, 1, 1);
  std::vector<float> flat = std::vector<float>(2);
  weir::Weights<E> weights{weir::view(flat), plan};
  weir::WorkLayout layout{.workers = 2};
  std::vector<std::uint8_t*> used;

  weir::RecipeContext<E> context() const { return {stream, home, plan, weights, layout, used}; }

  /// A worker's gradient of one bucket.
  static weir::WorkerGradient<E> report(E const& executor, float* value, std::size_t bucket,
                                        std::size_t worker, weir::StepInfo const& step = {}) {
    return {.executor = executor,
            .values = weir::TensorView<float, weir::HostSpace>(value, 1),
            .bucket = bucket,
            .worker = worker,
            .micro_batch = 0,
            .samples = worker + 3,
            .weight = 1.0,
            .step = step};
  }
};
