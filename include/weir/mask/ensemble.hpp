#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/exit_rule.hpp"

namespace weir::inline v1 {

namespace detail {
/// The first of the largest.
inline std::size_t first_largest(std::vector<double> const& scores) {
  std::size_t best = 0;
  for (std::size_t k = 1; k < scores.size(); ++k) {
    if (scores[k] > scores[best]) best = k;
  }
  return best;
}
}  // namespace detail

/// The class that a weighted majority of members votes for; ties go to the smaller index.
///
/// Shapes: one vote and one weight per member; no weights means equal ones. Errors: `ContractViolation` for a
/// vote that is no class, or another number of weights.
inline std::size_t majority_vote(std::span<std::size_t const> votes, std::size_t classes,
                                 std::span<double const> weights = {}) {
  if (!weights.empty() && weights.size() != votes.size()) {
    throw ContractViolation("majority_vote: " + std::to_string(weights.size()) + " weights for " +
                            std::to_string(votes.size()) + " members");
  }
  std::vector<double> scores(classes);
  for (std::size_t member = 0; member < votes.size(); ++member) {
    if (votes[member] >= classes) {
      throw ContractViolation("majority_vote: member " + std::to_string(member) + " votes for class " +
                              std::to_string(votes[member]) + " of " + std::to_string(classes));
    }
    scores[votes[member]] += weights.empty() ? 1.0 : weights[member];
  }
  return detail::first_largest(scores);
}

/// The class of the largest mean probability; ties go to the smaller index.
///
/// Shapes: `logits` members x classes. Errors: `ContractViolation` for another size.
template <class Real>
std::size_t mean_probability_vote(std::span<Real const> logits, std::size_t classes) {
  if (classes == 0 || logits.size() % classes != 0) {
    throw ContractViolation("mean_probability_vote: " + std::to_string(logits.size()) +
                            " logits are not members times " + std::to_string(classes) + " classes");
  }
  std::vector<double> scores(classes);
  for (std::size_t member = 0; member < logits.size(); member += classes) {
    auto const own = logits.subspan(member, classes);
    auto const softmax = summarise_softmax(own);
    for (std::size_t k = 0; k < classes; ++k) {
      scores[k] += softmax.largest * (expm1(static_cast<double>(own[k] - own[softmax.label])) + 1.0);
    }
  }
  return detail::first_largest(scores);
}

}  // namespace weir::inline v1
