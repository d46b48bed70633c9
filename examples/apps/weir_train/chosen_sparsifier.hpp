#pragma once

#include <cstdint>

#include "chosen_threshold.hpp"
#include "sparsification.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"

namespace weir_train {

/// One type with and without feedback: `ErrorFeedback` is a sparsifier with this memory.
using ChosenSparsifier = weir::ThresholdSparsifier<ChosenThreshold, ChosenStages>;

inline ChosenSparsifier make_sparsifier(Sparsification const& sparsification,
                                        weir::ThresholdSparsifierOptions options) {
  using Memory = weir::SparsifierMemoryKind;
  options.density = sparsification.density;
  ChosenSparsifier const sparsifier(options, ChosenThreshold{sparsification.estimator},
                                    ChosenStages{sparsification});
  return sparsifier.remembering({.kind = sparsification.has_feedback ? Memory::residual : Memory::none});
}

}  // namespace weir_train
