// expect: (satisfaction of|because) 'EndsInUpdate<|satisfy 'EndsInUpdate'
#include <vector>

#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
  auto const sum = weir::LocalAggregator{} | weir::AllReduce{weir::SelfCommunicator{}};
#ifdef WEIR_FAIL_CONTROL
  auto sync = (sum | weir::Sgd{{.learning_rate = 0.1}}).on(workers, weir::view(weights));
#else
  auto sync = sum.on(workers, weir::view(weights));
#endif
}
