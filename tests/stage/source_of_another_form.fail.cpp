// expect: (satisfaction of|because) 'Feeds<|satisfy 'Feeds'
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
#ifdef WEIR_FAIL_CONTROL
  auto const recipe = weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}};
  auto sync = recipe.on(workers, weir::view(weights));
#else  // takes the gradient of the device, but the workers give one each
  auto const recipe = weir::Recipe(std::tuple(weir::Sgd{{.learning_rate = 0.1}}));
  auto sync = recipe.on(workers, weir::view(weights));
#endif
}
