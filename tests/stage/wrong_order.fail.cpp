// expect: satisfaction of 'Feeds<.* = weir::v1::Sgd.* = weir::v1::LocalAggregator
// expect: because 'Feeds<weir::Sgd, weir::LocalAggregator
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"

auto recipe() {
#ifdef WEIR_FAIL_CONTROL
  return weir::LocalAggregator{} | weir::Sgd{{.learning_rate = 0.1}};
#else
  return weir::Sgd{{.learning_rate = 0.1}} | weir::LocalAggregator{};
#endif
}
