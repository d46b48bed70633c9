#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/exit_rule.hpp"

namespace weir::inline v1 {

namespace detail {
/// The first of the largest, where scores are sums of so many terms whose magnitudes add up to `total`: what
/// differs by no more than they may be rounded is equal.
inline std::size_t first_largest(std::vector<double> const& scores, std::size_t terms, double total) {
  double const rounding = static_cast<double>(terms + 8) * std::numeric_limits<double>::epsilon() * total;
  double largest = scores[0];
  for (double const score : scores) {
    if (score > largest) largest = score;
  }
  std::size_t first = 0;
  while (!(scores[first] >= largest - rounding)) ++first;
  return first;
}
}  // namespace detail

/// The class that a weighted majority of members votes for; ties go to the smaller index.
///
/// Shapes: one vote and one weight per member; no weights means equal ones. Errors: `ContractViolation` for a
/// vote that is no class, no members, another number of weights, and weights that are not finite or whose sum
/// is not.
inline std::size_t majority_vote(std::span<std::size_t const> votes, std::size_t classes,
                                 std::span<double const> weights = {}) {
  if (!weights.empty() && weights.size() != votes.size()) {
    throw ContractViolation("majority_vote: " + std::to_string(weights.size()) + " weights for " +
                            std::to_string(votes.size()) + " members");
  }
  if (votes.empty()) throw ContractViolation("majority_vote: 0 members, at least 1 would be right");
  std::vector<double> scores(classes);
  double total = 0;
  for (std::size_t member = 0; member < votes.size(); ++member) {
    if (votes[member] >= classes) {
      throw ContractViolation("majority_vote: member " + std::to_string(member) + " votes for class " +
                              std::to_string(votes[member]) + " of " + std::to_string(classes));
    }
    double const weight = weights.empty() ? 1.0 : weights[member];
    double const magnitude = weight < 0 ? -weight : weight;
    if (!(magnitude <= std::numeric_limits<double>::max())) {
      throw ContractViolation("majority_vote: the weight of member " + std::to_string(member) + " is " +
                              std::to_string(weight) + ", a finite one would be right");
    }
    scores[votes[member]] += weight;
    total += magnitude;
  }
  if (!(total <= std::numeric_limits<double>::max()))
    throw ContractViolation("majority_vote: the weights add up to infinity, smaller ones would be right");
  return detail::first_largest(scores, votes.size(), total);
}

/// The class of the largest mean probability; ties go to the smaller index. A member whose softmax is
/// NaN, by a NaN or +infinity among its logits or nothing but -infinity, has no say; if none has, the class
/// is 0.
///
/// Shapes: `logits` members x classes. Errors: `ContractViolation` for another size, and no members.
template <class Real>
std::size_t mean_probability_vote(std::span<Real const> logits, std::size_t classes) {
  if (classes == 0 || logits.empty() || logits.size() % classes != 0) {
    throw ContractViolation("mean_probability_vote: " + std::to_string(logits.size()) +
                            " logits are not members, at least 1, times " + std::to_string(classes) +
                            " classes");
  }
  std::vector<double> scores(classes);
  std::size_t members = 0;
  for (std::size_t member = 0; member < logits.size(); member += classes) {
    auto const own = logits.subspan(member, classes);
    auto const softmax = summarise_softmax(own);
    if (softmax.largest != softmax.largest) continue;
    ++members;
    double const top = static_cast<double>(own[softmax.label]);
    for (std::size_t k = 0; k < classes; ++k) {
      scores[k] += softmax.largest * (expm1(static_cast<double>(own[k]) - top) + 1.0);
    }
  }
  return detail::first_largest(scores, members + classes, static_cast<double>(members));
}

}  // namespace weir::inline v1
