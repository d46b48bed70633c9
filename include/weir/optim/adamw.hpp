#pragma once

#include <span>
#include <string>

#include "weir/core/check_option.hpp"
#include "weir/exec/optimizer_constants.hpp"
#include "weir/optim/bound_optimizer.hpp"

namespace weir::inline v1 {

struct AdamWOptions {
  double learning_rate = 0.001;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;  // 0: Adam
};

/// Adam with decoupled weight decay and bias correction.
///
/// Cost: one pass per bucket, fused with the scale of the gradient; two moments per device. Errors:
/// `ContractViolation` for a rate, decay or epsilon that is negative or not finite, and a beta outside [0,
/// 1). Source: [loshchilov2019]
class AdamW {
 public:
  using consumes = Dense;
  using produces = Applied;
  static constexpr char const* name = "adamw";
  static constexpr bool has_learning_rate = true;

  explicit AdamW(AdamWOptions options = {}) : options_(options) {
    detail::check_not_negative("AdamW", "learning_rate", options.learning_rate);
    detail::check_memory("AdamW", "beta1", options.beta1);
    detail::check_memory("AdamW", "beta2", options.beta2);
    detail::check_not_negative("AdamW", "epsilon", options.epsilon);
    detail::check_not_negative("AdamW", "weight_decay", options.weight_decay);
  }

  template <Executor E, class Real>
  requires UpdatingBackend<E, Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return BoundOptimizer<Rule, E, Real>(
        context, Rule{{options_.beta1, options_.beta2, options_.epsilon, options_.weight_decay}},
        options_.learning_rate);
  }

  /// What a checkpoint tells of it, which has the learning rate by itself.
  std::string text() const {
    return "beta1 " + std::to_string(options_.beta1) + ", beta2 " + std::to_string(options_.beta2) +
           ", weight decay " + std::to_string(options_.weight_decay);
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&) const {
    return sizeof(OptimizerState) + 2 * plan.elements() * sizeof(Real);
  }

 private:
  struct Rule {
    AdamConstants constants;

    double beta1() const { return constants.beta1; }
    double beta2() const { return constants.beta2; }
    static std::span<char const* const> moments() {
      static constexpr char const* names[] = {"adamw.first_moment", "adamw.second_moment"};
      return names;
    }

    template <Executor E, class Real, class Moments>
    void update(E const& executor, ViewOn<Real const, E> weights,
                TensorView<Real, typename E::memory_space> out, ViewOn<Real const, E> gradient,
                Moments const& moments, OptimizerState const* state, GradientScale scale) const {
      adamw_update(executor, weights, out, gradient, moments(0), moments(1), constants, state, scale);
    }

    template <Executor E, class Element, class Real, class Moments>
    void update_pieces(E const& executor, UpdateList<Real> const& list,
                       std::span<WeightedTerm<Element, typename E::memory_space> const> terms,
                       Moments const& moments, OptimizerState const* state, GradientScale scale) const {
      adamw_update_pieces(executor, list, terms, moments(0), moments(1), constants, state, scale);
    }
  };

  AdamWOptions options_;
};

}  // namespace weir::inline v1
