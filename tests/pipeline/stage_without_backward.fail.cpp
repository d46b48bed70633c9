// expect: failed.*or backward_input\(micro\) and backward_weight\(micro\)
#include <span>
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/stage/recipe.hpp"

struct Stage {
  void forward(auto&) const {}
  void backward_input(auto&) const {}
#ifdef WEIR_FAIL_CONTROL
  void backward_weight(auto&) const {}
#endif
};

void train(weir::InterleavedPipeline<weir::HostExecutor>& pipe, std::span<int const> batch,
           std::vector<Stage> const& stages, std::vector<float>& weights) {
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}}).on(pipe, weir::view(weights));
  sync(pipe(batch, stages));
}
