// expect: the weights and the source's real type differ
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

#ifdef WEIR_FAIL_CONTROL
using Pool = weir::StreamWorkerPool<weir::HostExecutor, double>;
#else
using Pool = weir::StreamWorkerPool<weir::HostExecutor>;
#endif

void bind(Pool& workers, std::vector<double>& weights) {
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}}).on(workers, weir::view(weights));
}
