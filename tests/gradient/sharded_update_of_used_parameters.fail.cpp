// expect: UsedParameters . the optimizer itself would be right
#include <vector>

#include "weir/comm/self.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/sharded_update.hpp"
#include "weir/gradient/used_parameters.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
  weir::SelfCommunicator const alone;
  weir::Sgd const sgd{{.learning_rate = 0.1}};
#ifdef WEIR_FAIL_CONTROL
  auto const update = weir::AllReduce{alone} | weir::UsedParameters{alone} | sgd;
#else
  auto const update = weir::UsedParameters{alone} | weir::ShardedUpdate{alone, sgd};
#endif
  auto sync = (weir::LocalAggregator{} | update).on(workers, weir::view(weights));
}
