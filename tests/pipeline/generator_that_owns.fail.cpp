// expect: failed.*a generator is kept as its bytes, so it is trivially copyable
#include <span>
#include <vector>

#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/pipeline/interleaved_pipeline.hpp"
#include "weir/stage/recipe.hpp"

#ifdef WEIR_FAIL_CONTROL
using Generator = unsigned long long;
#else
using Generator = std::vector<unsigned long long>;
#endif

struct Stage {
  Generator state;

  Generator& generator(auto&) { return state; }
  void forward(auto&) const {}
  void backward(auto&) const {}
};

void train(weir::InterleavedPipeline<weir::HostExecutor>& pipe, std::span<int const> batch,
           std::vector<Stage>& stages, std::vector<float>& weights) {
  auto sync = (weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}}).on(pipe, weir::view(weights));
  sync(pipe(batch, stages));
}
