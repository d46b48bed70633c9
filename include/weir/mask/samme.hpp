#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/special.hpp"

namespace weir::inline v1 {

/// What a learner brought to a boosted ensemble.
struct SammeRound {
  double error = 0;       // weight of the samples it misclassified
  double alpha = 0;       // its vote; 0 if it is rejected
  bool accepted = false;  // better than guessing
  bool finished = false;  // it made no error: nothing is left to learn
};

/// Boosting for K classes: each learner is trained with the weights as factors of its samples' losses, which
/// rise for those that it misclassifies.
///
/// Errors: `ContractViolation` for no samples, fewer than two classes, and another number of results.
/// Source: [zhu2009].
class Samme {
 public:
  Samme(std::size_t samples, std::size_t classes)
      : classes_(classes), weights_(samples, 1.0 / static_cast<double>(samples)) {
    if (samples == 0 || classes < 2) {
      throw ContractViolation("Samme: " + std::to_string(samples) + " samples and " +
                              std::to_string(classes) + " classes, at least 1 and 2 are needed");
    }
  }

  /// Factors of the samples' losses; they sum to 1.
  std::vector<double> const& weights() const { return weights_; }

  /// Takes a learner in, or rejects it and changes nothing. `is_wrong[i]` says whether it misclassified
  /// sample i.
  SammeRound add(std::vector<bool> const& is_wrong) {
    if (is_wrong.size() != weights_.size()) {
      throw ContractViolation("Samme: " + std::to_string(is_wrong.size()) + " results for " +
                              std::to_string(weights_.size()) + " samples");
    }
    SammeRound round;
    double right = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) (is_wrong[i] ? round.error : right) += weights_[i];
    double const others = static_cast<double>(classes_ - 1);
    // What rounding may have taken from a sum of weights: a learner that guesses is not to pass by it.
    double const rounding = static_cast<double>(weights_.size() + 8) * std::numeric_limits<double>::epsilon();
    double const guessing = others / static_cast<double>(classes_) * (round.error + right);
    if (round.error >= guessing * (1 - rounding)) return round;
    round.accepted = true;
    if (round.error == 0) {
      round.finished = true;
      round.alpha = largest_alpha;
      return round;
    }
    round.alpha = ln(right) - ln(round.error) + ln(others);
    // What exp(alpha) and the sum come to: the misclassified hold (K-1)/K, however small their error was.
    double const all = static_cast<double>(classes_);
    for (std::size_t i = 0; i < weights_.size(); ++i)
      weights_[i] = is_wrong[i] ? weights_[i] / round.error * (others / all) : weights_[i] / right / all;
    return round;
  }

  /// Of a learner that makes no error: ln(1e10).
  static constexpr double largest_alpha = 23.025850929940457;

 private:
  std::size_t classes_;
  std::vector<double> weights_;
};

}  // namespace weir::inline v1
