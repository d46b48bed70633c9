// expect: (satisfaction of|because) 'GradientStage<|satisfy 'GradientStage'
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"

struct Halve {
  using consumes = weir::Dense;
#ifdef WEIR_FAIL_CONTROL
  using produces = weir::Dense;
#endif

  auto on(weir::BucketContext<weir::HostExecutor> const&) const {
    return [](weir::DenseGradient<weir::HostExecutor> gradient) {
      gradient.scale.value *= 0.5;
      return gradient;
    };
  }
};

auto recipe() {
  return weir::LocalAggregator{} | Halve{};
}
