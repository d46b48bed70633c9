// expect: one GradAccumulator of all micro-batches belongs here
#include <vector>

#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
#ifdef WEIR_FAIL_CONTROL
  auto const recipe = weir::GradAccumulator{6} | weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}};
#else
  auto const recipe = weir::GradAccumulator{2} | weir::GradAccumulator{3} | weir::LocalAggregator{} |
                      weir::Sgd{{.learning_rate = 0.1}};
#endif
  auto sync = recipe.on(workers, weir::view(weights));
}
