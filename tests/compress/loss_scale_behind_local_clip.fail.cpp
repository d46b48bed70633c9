// expect: LossScale belongs before it
#include <vector>

#include "weir/comm/self.hpp"
#include "weir/compress/local_clip.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
  weir::LocalClip const clip{weir::SelfCommunicator{}, {.max_norm = 1.0}};
#ifdef WEIR_FAIL_CONTROL
  auto const recipe = weir::LocalAggregator{} | weir::LossScale{} | clip | weir::Sgd{{.learning_rate = 0.1}};
#else
  auto const recipe = weir::LocalAggregator{} | clip | weir::LossScale{} | weir::Sgd{{.learning_rate = 0.1}};
#endif
  auto sync = recipe.on(workers, weir::view(weights));
}
