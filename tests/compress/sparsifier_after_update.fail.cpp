// expect: satisfaction of 'Feeds<.* = weir::v1::Sgd.* = weir::v1::ThresholdSparsifier
// expect: because 'Feeds<weir::Sgd, weir::ThresholdSparsifier
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/host/executor.hpp"
#include "weir/optim/sgd.hpp"
#include "weir/stage/recipe.hpp"

auto recipe() {
#ifdef WEIR_FAIL_CONTROL
  return weir::ThresholdSparsifier{{.density = 0.01}} | weir::Sgd{{.learning_rate = 0.1}};
#else
  return weir::Sgd{{.learning_rate = 0.1}} | weir::ThresholdSparsifier{{.density = 0.01}};
#endif
}
