#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/mask/cross_entropy.hpp"

namespace weir::inline v1 {

/// What the losses of the exits train.
enum class ExitMode : std::uint8_t {
  joint,        // heads and stages, by the weighted sum of the losses
  frozen_trunk  // heads only: the stages are as they are
};

/// A network with exits that can be trained. `stage(e, features, samples)` and `head(e, features, samples)`
/// are those of `EarlyExit`. `head_gradient(e, features, gradient, samples)` is given the gradient of the
/// logits and returns that of the features; `stage_gradient(e, input, features, gradient, samples)` is given
/// that of the features which stage e made of `input`, and returns that of `input`. Both add to, or write,
/// the gradients of their parameters, wherever these are.
template <class Network, class Real>
concept ExitNetwork = requires(Network& network, std::vector<Real> const& numbers, std::size_t index) {
  std::vector<Real>(network.stage(index, numbers, index));
  std::vector<Real>(network.head(index, numbers, index));
  std::vector<Real>(network.head_gradient(index, numbers, numbers, index));
  std::vector<Real>(network.stage_gradient(index, numbers, numbers, numbers, index));
};

/// Mean losses, by exit, and the weighted sum that was trained.
struct ExitLosses {
  std::vector<double> each;
  double total = 0;
};

/// How a network with exits is trained: no sample leaves early, each exit has a cross entropy, and the losses
/// are weighted.
///
/// `joint` trains all at once. `frozen_trunk` gives heads to a network that has been trained: its stages are
/// never asked for gradients. Errors: `ContractViolation` for no exits, weights below 0 or not finite, and
/// logits that are not samples x classes. Source: [teerapittayanon2016].
class ExitTraining {
 public:
  /// One weight per exit, the last included.
  explicit ExitTraining(std::vector<double> weights, ExitMode mode = ExitMode::joint)
      : weights_(std::move(weights)), mode_(mode) {
    if (weights_.empty()) throw ContractViolation("ExitTraining: 0 exits, at least 1 is needed");
    for (double const weight : weights_) {
      if (!(weight >= 0 && weight <= std::numeric_limits<double>::max()))
        throw ContractViolation("ExitTraining: the weight " + std::to_string(weight) +
                                " of an exit, a finite one of 0 or more would be right");
    }
  }

  std::vector<double> const& weights() const { return weights_; }
  ExitMode mode() const { return mode_; }

  /// One pass forwards and back, which leaves the gradients with the network. `factors` are those of
  /// `cross_entropy`.
  template <class Real, ExitNetwork<Real> Network>
  ExitLosses run(Network& network, std::vector<Real> const& input, std::span<std::size_t const> labels,
                 std::span<double const> factors = {}) const {
    std::size_t const exits = weights_.size(), samples = labels.size();
    ExitLosses losses{std::vector<double>(exits), 0};
    if (samples == 0) return losses;
    std::vector<std::vector<Real>> features(exits), gradients(exits);
    for (std::size_t e = 0; e < exits; ++e) {
      features[e] = network.stage(e, e == 0 ? input : features[e - 1], samples);
      std::vector<Real> const logits = network.head(e, features[e], samples);
      gradients[e].resize(logits.size());
      losses.each[e] = cross_entropy(std::span<Real const>(logits), labels, std::span<Real>(gradients[e]),
                                     {.weight = weights_[e], .factors = factors});
      losses.total += weights_[e] * losses.each[e];
    }
    std::vector<Real> behind;  // the gradient that stage e + 1 gave
    for (std::size_t e = exits; e-- > 0;) {
      std::vector<Real> gradient = network.head_gradient(e, features[e], gradients[e], samples);
      if (mode_ == ExitMode::frozen_trunk) continue;
      check(e, gradient.size(), features[e].size());
      for (std::size_t i = 0; i < behind.size(); ++i) gradient[i] += behind[i];
      behind = network.stage_gradient(e, e == 0 ? input : features[e - 1], features[e], gradient, samples);
      if (e > 0) check(e, behind.size(), features[e - 1].size());
    }
    return losses;
  }

 private:
  static void check(std::size_t exit, std::size_t gradient, std::size_t features) {
    if (gradient == features) return;
    throw ContractViolation("ExitTraining: the gradient at exit " + std::to_string(exit) + " has " +
                            std::to_string(gradient) + " elements, " + std::to_string(features) +
                            " would be right");
  }

  std::vector<double> weights_;
  ExitMode mode_;
};

}  // namespace weir::inline v1
