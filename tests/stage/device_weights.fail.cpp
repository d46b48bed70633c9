// expect: the weights are not in the memory of the source's executor
#include <cstddef>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

#ifdef WEIR_FAIL_CONTROL
using Space = weir::HostSpace;
#else
using Space = weir::DeviceSpace;
#endif

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, float* weights, std::size_t size) {
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}})
                  .on(workers, weir::view<Space>(weights, size));
}
