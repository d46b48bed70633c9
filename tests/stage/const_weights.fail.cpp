// expect: these weights are constant, but a recipe updates them
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

#ifdef WEIR_FAIL_CONTROL
using Weights = std::vector<float>;
#else
using Weights = std::vector<float> const;
#endif

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, Weights& weights) {
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}}).on(workers, weir::view(weights));
}
