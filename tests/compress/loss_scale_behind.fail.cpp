// expect: LossScale belongs before it
#include <vector>

#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/gradient/loss_scale.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"
#include "weir/workers/stream_worker_pool.hpp"

void bind(weir::StreamWorkerPool<weir::HostExecutor>& workers, std::vector<float>& weights) {
  weir::ErrorFeedback const feedback{weir::ThresholdSparsifier{{.density = 0.01}}};
#ifdef WEIR_FAIL_CONTROL
  auto const recipe =
      weir::LocalAggregator{} | weir::LossScale{} | feedback | weir::Sgd{{.learning_rate = 0.1}};
#else
  auto const recipe =
      weir::LocalAggregator{} | feedback | weir::LossScale{} | weir::Sgd{{.learning_rate = 0.1}};
#endif
  auto sync = recipe.on(workers, weir::view(weights));
}
