#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

#include "weir/exec/sparsify_constants.hpp"
#include "weir_sparsify/estimator.hpp"

namespace weir_train {

using weir_sparsify::Estimator;

/// How much of its gradients a rank sends, and which part.
struct Sparsification {
  double density = 0.01;
  Estimator estimator = Estimator::histogram;
  weir::StageConstants stages = {};
  bool has_feedback = true;
};

inline char const* name_of(Estimator estimator) {
  return weir_sparsify::estimator_names[static_cast<std::size_t>(estimator)];
}

/// Can be fitted again to what exceeds the threshold before.
inline bool has_stages(Estimator estimator) {
  return estimator == Estimator::exponential || estimator == Estimator::generalized_pareto ||
         estimator == Estimator::gamma_pareto || estimator == Estimator::normal;
}

/// ", density 0.01 by histogram"
inline std::string text_of(Sparsification const& sparsification) {
  char density[32];
  std::snprintf(density, sizeof density, "%g", sparsification.density);
  std::string const text = std::string(", density ") + density + " by " + name_of(sparsification.estimator);
  return sparsification.has_feedback ? text : text + ", no feedback";
}

}  // namespace weir_train
