#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/exit_rule.hpp"

namespace weir::inline v1 {

/// What a network with exits gave, in the order of the input.
template <class Real>
struct ExitResult {
  std::vector<Real> logits;        // samples x classes
  std::vector<std::size_t> taken;  // by sample: the exit it left at
  std::vector<std::size_t> left;   // by exit: samples that left there
  std::size_t launches = 0;        // stages that ran
};

/// A network cut into stages, each with a head: a sample leaves at the first exit whose rule lets it, and the
/// rest goes on, closed up in its order. The last exit takes all.
///
/// `Stage` is called as `stage(e, features, samples)`, with the features of the samples that are left, and
/// returns theirs after stage e; `head(e, features, samples)` returns samples x classes logits. Neither is
/// called when no sample is left. Errors: `ContractViolation` for no classes, and for sizes that samples do
/// not divide.
class EarlyExit {
 public:
  /// One rule per exit but the last.
  explicit EarlyExit(std::vector<ExitRule> rules) : rules_(std::move(rules)) {}

  std::size_t exits() const { return rules_.size() + 1; }
  std::vector<ExitRule> const& rules() const { return rules_; }

  template <class Real, class Stage, class Head>
  ExitResult<Real> run(std::vector<Real> features, std::size_t samples, std::size_t classes, Stage&& stage,
                       Head&& head) const {
    if (classes == 0) throw ContractViolation("EarlyExit: 0 classes, at least 1 would be right");
    ExitResult<Real> result;
    result.logits.resize(samples * classes);
    result.taken.resize(samples);
    result.left.resize(exits());
    std::vector<std::size_t> index(samples);
    for (std::size_t i = 0; i < samples; ++i) index[i] = i;
    for (std::size_t e = 0; e < exits() && !index.empty(); ++e) {
      features = stage(e, std::move(features), index.size());
      std::vector<Real> const logits = head(e, features, index.size());
      ++result.launches;
      check(features.size(), logits.size(), index.size(), classes, e);
      std::size_t const width = features.size() / index.size();
      std::size_t kept = 0;
      for (std::size_t i = 0; i < index.size(); ++i) {
        std::span<Real const> const own(logits.data() + i * classes, classes);
        if (e == rules_.size() || rules_[e].leaves(summarise_softmax(own))) {
          for (std::size_t k = 0; k < classes; ++k) result.logits[index[i] * classes + k] = own[k];
          result.taken[index[i]] = e;
          ++result.left[e];
          continue;
        }
        for (std::size_t f = 0; f < width; ++f) features[kept * width + f] = features[i * width + f];
        index[kept++] = index[i];
      }
      features.resize(kept * width);
      index.resize(kept);
    }
    return result;
  }

 private:
  static void check(std::size_t features, std::size_t logits, std::size_t samples, std::size_t classes,
                    std::size_t exit) {
    if (features % samples == 0 && logits == samples * classes) return;
    throw ContractViolation("EarlyExit: exit " + std::to_string(exit) + " gave " + std::to_string(logits) +
                            " logits and " + std::to_string(features) + " features for " +
                            std::to_string(samples) + " samples and " + std::to_string(classes) + " classes");
  }

  std::vector<ExitRule> rules_;
};

/// What running a network costs per sample, where `macs[e]` are the multiply-adds of stage e and its head.
/// Units: multiply-adds. Errors: `ContractViolation` for another number of stages than of exits.
inline double expected_cost(std::span<std::size_t const> left, std::span<double const> macs) {
  if (left.size() != macs.size()) {
    throw ContractViolation("expected_cost: " + std::to_string(macs.size()) + " costs for " +
                            std::to_string(left.size()) + " exits, one each would be right");
  }
  double samples = 0, all = 0, so_far = 0;
  for (std::size_t e = 0; e < left.size(); ++e) {
    so_far += macs[e];
    all += static_cast<double>(left[e]) * so_far;
    samples += static_cast<double>(left[e]);
  }
  return samples == 0 ? 0 : all / samples;
}

}  // namespace weir::inline v1
