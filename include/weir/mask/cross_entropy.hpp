#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "weir/core/error.hpp"
#include "weir/core/special.hpp"
#include "weir/mask/class_labels.hpp"

namespace weir::inline v1 {

struct CrossEntropyOptions {
  double weight = 1.0;                   // of this loss among those of other exits
  std::span<double const> factors = {};  // of the samples, as `Samme::weights()`; none: 1 / samples each
};

/// The cross entropy of softmax(logits), summed over samples times their factors, so that without factors it
/// is the mean. `gradient` becomes `weight` times its gradient; the loss returned is not weighted.
///
/// Shapes: logits and gradient samples x classes, labels and factors one per sample. Errors:
/// `ContractViolation` for sizes that do not belong together, and for a label that is no class.
template <class Real>
double cross_entropy(std::span<Real const> logits, std::span<std::size_t const> labels,
                     std::span<Real> gradient, CrossEntropyOptions const& options = {}) {
  std::size_t const samples = labels.size();
  std::size_t const classes = samples == 0 ? 0 : logits.size() / samples;
  bool const fits = logits.size() == samples * classes && gradient.size() == logits.size() &&
                    (options.factors.empty() || options.factors.size() == samples);
  if (!fits || (samples != 0 && classes == 0)) {
    throw ContractViolation("cross_entropy: " + std::to_string(logits.size()) + " logits, " +
                            std::to_string(gradient.size()) + " gradients and " +
                            std::to_string(options.factors.size()) + " factors for " +
                            std::to_string(samples) + " samples");
  }
  detail::check_labels("cross_entropy", labels, classes);
  double loss = 0;
  for (std::size_t i = 0; i < samples; ++i) {
    Real const* const own = logits.data() + i * classes;
    double top = static_cast<double>(own[0]);
    for (std::size_t k = 1; k < classes; ++k) {
      if (static_cast<double>(own[k]) > top) top = static_cast<double>(own[k]);
    }
    double sum = 0;
    for (std::size_t k = 0; k < classes; ++k) sum += expm1(static_cast<double>(own[k]) - top) + 1.0;
    double const factor = options.factors.empty() ? 1.0 / static_cast<double>(samples) : options.factors[i];
    loss += factor * (ln(sum) + top - static_cast<double>(own[labels[i]]));
    for (std::size_t k = 0; k < classes; ++k) {
      double const probability = (expm1(static_cast<double>(own[k]) - top) + 1.0) / sum;
      double const difference = probability - (k == labels[i] ? 1.0 : 0.0);
      gradient[i * classes + k] = static_cast<Real>(options.weight * factor * difference);
    }
  }
  return loss;
}

}  // namespace weir::inline v1
