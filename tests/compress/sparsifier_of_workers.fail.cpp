// expect: satisfaction of 'Feeds<.* = weir::v1::GradAccumulator.* = weir::v1::ThresholdSparsifier
// expect: because 'Feeds<weir::GradAccumulator<>, weir::ThresholdSparsifier
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/grad_accumulator.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"

auto recipe() {
  weir::ThresholdSparsifier const sparsifier{{.density = 0.01}};
#ifdef WEIR_FAIL_CONTROL
  return weir::GradAccumulator{2} | weir::LocalAggregator{} | sparsifier;
#else  // each worker's gradient would be sparsified on its own
  return weir::GradAccumulator{2} | sparsifier;
#endif
}
