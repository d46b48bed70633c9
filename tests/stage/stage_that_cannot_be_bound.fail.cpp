// expect: this stage cannot be bound
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

struct Pass {
  using consumes = weir::Dense;
  using produces = weir::Dense;

#ifdef WEIR_FAIL_CONTROL
  template <class E, class Real>
  auto on(weir::BucketContext<E, Real> const&) const {
    return [](weir::DenseGradient<E, Real> const& gradient) { return gradient; };
  }
#endif
};

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
  auto sync =
      (weir::LocalAggregator{} | Pass{} | weir::Sgd{{.learning_rate = 0.1}}).on(workers, weir::view(weights));
}
