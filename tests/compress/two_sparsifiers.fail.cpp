// expect: satisfaction of 'Feeds<.* = weir::v1::ThresholdSparsifier.* = weir::v1::ThresholdSparsifier
// expect: because 'Feeds<weir::ThresholdSparsifier<[^>]*>[^>]*>, weir::ThresholdSparsifier
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/local_aggregator.hpp"
#include "weir/host/executor.hpp"
#include "weir/stage/recipe.hpp"

auto recipe() {
  weir::ThresholdSparsifier const sparsifier{{.density = 0.01}};
#ifdef WEIR_FAIL_CONTROL
  return weir::LocalAggregator{} | sparsifier;
#else
  return sparsifier | sparsifier;
#endif
}
