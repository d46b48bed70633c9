#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/class_labels.hpp"
#include "weir/mask/exit_rule.hpp"

namespace weir::inline v1 {

namespace detail {

struct ExitCandidate {
  double confidence;
  int lost;  // 1: right at the final exit only, -1: here only
  std::size_t sample;
};

/// The most confident first, by merging; <algorithm> is large.
inline void sort_by_confidence(std::vector<ExitCandidate>& all) {
  std::vector<ExitCandidate> merged(all.size());
  for (std::size_t run = 1; run < all.size(); run *= 2) {
    for (std::size_t begin = 0; begin < all.size(); begin += 2 * run) {
      std::size_t const middle = begin + run < all.size() ? begin + run : all.size();
      std::size_t const end = middle + run < all.size() ? middle + run : all.size();
      std::size_t left = begin, right = middle;
      for (std::size_t at = begin; at < end; ++at) {
        bool const takes_left =
            right == end || (left < middle && all[left].confidence >= all[right].confidence);
        merged[at] = all[takes_left ? left++ : right++];
      }
    }
    all.swap(merged);
  }
}

}  // namespace detail

/// Confidence rules for exits: at each, the smallest tau whose leavers, on a validation set, are at most
/// `epsilon` less accurate there than at the final exit. What left earlier does not count any more.
///
/// Shapes: `logits[e]` samples x classes of exit e, each for the whole set; `labels` one per sample.
/// Cost: samples log samples per exit. Errors: `ContractViolation` for sizes that do not belong together, a
/// label that is no class, and an epsilon below 0 or NaN.
template <class Real>
std::vector<ExitRule> calibrate_exits(std::span<std::vector<Real> const> logits,
                                      std::span<std::size_t const> labels, double epsilon) {
  std::size_t const samples = labels.size();
  if (logits.empty() || samples == 0)
    throw ContractViolation("calibrate_exits: there must be at least one exit and one sample");
  std::size_t const classes = logits[0].size() / samples;
  for (auto const& all : logits) {
    if (classes != 0 && all.size() == samples * classes) continue;
    throw ContractViolation("calibrate_exits: " + std::to_string(all.size()) + " logits are not those of " +
                            std::to_string(samples) + " samples");
  }
  detail::check_labels("calibrate_exits", labels, classes);
  if (!(epsilon >= 0)) {
    throw ContractViolation("calibrate_exits: epsilon " + std::to_string(epsilon) +
                            ", 0 or more would be right");
  }
  auto const summary = [&](std::size_t e, std::size_t i) {
    return summarise_softmax(std::span<Real const>(logits[e].data() + i * classes, classes));
  };

  std::vector<ExitRule> rules;
  std::vector<bool> has_left(samples);
  for (std::size_t e = 0; e + 1 < logits.size(); ++e) {
    std::vector<detail::ExitCandidate> candidates;
    for (std::size_t i = 0; i < samples; ++i) {
      if (has_left[i]) continue;
      auto const here = summary(e, i);
      bool const is_right = here.label == labels[i];
      bool const is_right_finally = summary(logits.size() - 1, i).label == labels[i];
      if (!(here.largest > 0)) continue;  // never leaves
      candidates.push_back(
          {here.largest, static_cast<int>(is_right_finally) - static_cast<int>(is_right), i});
    }
    detail::sort_by_confidence(candidates);
    // Tau is the confidence of the first that stays.
    ExitRule rule{ExitRule::Kind::confidence, 1.0};
    std::size_t leavers = 0;
    double lost = 0;
    for (std::size_t count = 0; count < candidates.size();) {
      double const confidence = candidates[count].confidence;
      for (; count < candidates.size() && candidates[count].confidence == confidence; ++count) {
        lost += candidates[count].lost;
      }
      if (lost / static_cast<double>(count) > epsilon) continue;
      leavers = count;
      rule.tau = count == candidates.size() ? 0.0 : candidates[count].confidence;
    }
    for (std::size_t i = 0; i < leavers; ++i) has_left[candidates[i].sample] = true;
    rules.push_back(rule);
  }
  return rules;
}

}  // namespace weir::inline v1
