#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/core/special.hpp"

namespace weir::inline v1 {

/// Softmax of logits, the largest of which is subtracted first.
struct SoftmaxSummary {
  double largest;     // probability, the confidence
  double entropy;     // over that of the uniform distribution, 0 .. 1
  std::size_t label;  // the first of the largest
};

template <class Real>
SoftmaxSummary summarise_softmax(std::span<Real const> logits) {
  std::size_t label = 0;
  for (std::size_t k = 1; k < logits.size(); ++k) {
    if (logits[k] > logits[label]) label = k;
  }
  double const top = static_cast<double>(logits[label]);
  double sum = 0, weighted = 0;  // of exp(d) and d exp(d)
  for (Real const logit : logits) {
    double const below = static_cast<double>(logit) - top;
    double const weight = expm1(below) + 1.0;
    sum += weight;
    if (weight > 0) weighted += below * weight;
  }
  double const entropy = ln(sum) - weighted / sum;
  double const uniform = logits.size() > 1 ? ln(static_cast<double>(logits.size())) : 1.0;
  return {1.0 / sum, entropy / uniform, label};
}

/// Whether a sample leaves a network at an exit.
struct ExitRule {
  enum class Kind : std::uint8_t {
    confidence,  // leave if the largest probability is above tau; tau <= 0 always, tau >= 1 never
    entropy      // leave if the normalised entropy is below tau; tau <= 0 never, tau >= 1 always
  };
  Kind kind = Kind::confidence;
  double tau = 0.5;

  /// NaN, of tau or in the logits, never leaves, whatever the other is.
  bool leaves(SoftmaxSummary const& softmax) const {
    if (softmax.largest != softmax.largest) return false;
    if (kind == Kind::confidence) {
      if (tau <= 0) return true;
      return tau < 1 && softmax.largest > tau;
    }
    if (tau >= 1) return true;
    return tau > 0 && softmax.entropy < tau;
  }
};

}  // namespace weir::inline v1
