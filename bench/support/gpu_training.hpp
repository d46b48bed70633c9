#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "support/gpu_kernels.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

namespace bench {

using Pool = weir::StreamWorkerPool<weir::CudaExecutor>;

/// Samples that no model looks at.
struct Batch {
  std::size_t count;

  std::size_t size() const { return count; }
  Batch subspan(std::size_t, std::size_t part) const { return {part}; }
};

/// k workers that train with a recipe; `Model` is called with a `Micro`.
template <class Model>
class Training {
 public:
  Training(weir::CudaExecutor const& executor, std::size_t workers, std::size_t buckets,
           std::size_t bucket_elements, Model const& model)
      : model_(model),
        batch_{workers},
        pool_(executor, {.workers = workers,
                         .buckets = weir::BucketPlan::per_parameter(
                             std::vector<weir::Parameter>(buckets, {.elements = bucket_elements}))}),
        weights_(executor, buckets * bucket_elements),
        sync_(recipe().on(pool_, weights_.view())) {
    fill_random(executor.stream(), weights_.data(), weights_.size(), 1);
    sync_.settle();
  }

  void step() { sync_(pool_(batch_, model_)); }
  void wait() { sync_.wait(); }

 private:
  static auto recipe() {
    return weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 1e-3, .momentum = 0.9}};
  }

  Model const& model_;
  Batch batch_;
  Pool pool_;
  weir::Buffer<float, weir::CudaExecutor> weights_;
  decltype(recipe().on(std::declval<Pool&>(), weights_.view())) sync_;
};

}  // namespace bench
