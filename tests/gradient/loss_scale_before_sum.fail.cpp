// expect: each rank would scale or skip the sum of all of them by what it has found in its own gradient
#include <vector>

#include "weir/comm/threads.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, weir::ThreadCommunicator const& ranks,
          std::vector<float>& weights) {
  weir::Sgd const sgd{{.learning_rate = 0.1}};
  weir::AllReduce const sum{ranks};
#ifdef WEIR_FAIL_CONTROL
  auto sync = (weir::LocalAggregator{} | sum | weir::LossScale{} | sgd).on(workers, weir::view(weights));
#else
  auto sync = (weir::LocalAggregator{} | weir::LossScale{} | sum | sgd).on(workers, weir::view(weights));
#endif
}
