// expect: the weights are not in the memory of the source's executor
#include "weir/cuda/executor.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

#ifdef WEIR_FAIL_CONTROL
using Space = weir::DeviceSpace;
#else
using Space = weir::HostSpace;
#endif

void bind(weir::StreamWorkerPool<weir::CudaExecutor>& pool, weir::TensorView<float, Space> weights) {
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}}).on(pool, weights);
  sync.wait();
}
