// expect: no stage of this recipe has a learning rate
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

/// Counts as an update, but has no rate.
struct Discard {
  using consumes = weir::Dense;
  using produces = weir::Applied;

  template <class E, class Real>
  auto on(weir::BucketContext<E, Real> const&) const {
    return [](weir::DenseGradient<E, Real> const& gradient) {
      return weir::AppliedGradient<E>{gradient.executor, gradient.bucket, gradient.step};
    };
  }
};

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
#ifdef WEIR_FAIL_CONTROL
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}}).on(workers, weir::view(weights));
#else
  auto sync = (weir::LocalAggregator{} | Discard{}).on(workers, weir::view(weights));
#endif
  sync.set_learning_rate(0.01);
}
