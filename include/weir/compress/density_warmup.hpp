#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/number_text.hpp"
#include "weir/core/special.hpp"

namespace weir::inline v1 {

/// How the density comes down to its final value in the first epochs: by the same factor each epoch, or as
/// listed. An epoch is so many optimizer steps. Without either, the density is the final one from the start.
///
/// Source: [lin2018], whose list is {0.25, 0.0625, 0.015625, 0.004, 0.001}.
struct DensityWarmup {
  std::size_t epochs = 0;  // W: epoch e has density^((e + 1) / (W + 1))
  std::uint64_t steps_per_epoch = 0;
  std::vector<double> densities = {};  // by epoch; takes the place of `epochs`

  /// Of an epoch, when the final one is `density`.
  double of_epoch(std::uint64_t epoch, double density) const {
    if (!densities.empty()) return epoch < densities.size() ? densities[epoch] : density;
    if (epoch >= epochs) return density;
    double const share = static_cast<double>(epoch + 1) / static_cast<double>(epochs + 1);
    double const warm = exp(share * ln(density));
    return warm > density ? warm : density;
  }

  double of_step(std::uint64_t step, double density) const {
    return steps_per_epoch == 0 ? density : of_epoch(step / steps_per_epoch, density);
  }

  /// The largest there is.
  double largest(double density) const {
    double largest = density;
    if (steps_per_epoch == 0) return largest;
    for (std::uint64_t epoch = 0; epoch < (densities.empty() ? epochs : densities.size()); ++epoch)
      if (double const warm = of_epoch(epoch, density); largest < warm) largest = warm;
    return largest;
  }

  /// What a checkpoint tells of it. Empty without a warm-up.
  std::string text() const {
    if (steps_per_epoch == 0 || (epochs == 0 && densities.empty())) return {};
    std::string text = "warm-up of ";
    if (densities.empty()) text += std::to_string(epochs);
    for (std::size_t epoch = 0; epoch < densities.size(); ++epoch)
      text += (epoch == 0 ? "" : " ") + detail::number_text(densities[epoch]);
    return text + " in epochs of " + std::to_string(steps_per_epoch) + " steps";
  }

  /// Errors: `ContractViolation` for a density outside (0, 1], or epochs of no steps.
  void check() const {
    for (double density : densities) {
      if (!(density > 0.0 && density <= 1.0))
        throw ContractViolation("DensityWarmup: a density of " + std::to_string(density) +
                                ", it has to be above 0 and at most 1");
    }
    if ((epochs != 0 || !densities.empty()) && steps_per_epoch == 0)
      throw ContractViolation("DensityWarmup: steps_per_epoch is 0, an epoch has at least 1");
  }
};

}  // namespace weir::inline v1
