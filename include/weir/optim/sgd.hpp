#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "weir/core/check_option.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/optimizer_constants.hpp"
#include "weir/optim/bound_optimizer.hpp"

namespace weir::inline v1 {

struct SgdOptions {
  double learning_rate = 0.01;
  double momentum = 0.0;
  bool nesterov = false;
  double weight_decay = 0.0;  // added to the gradient
};

/// Stochastic gradient descent: `g += weight_decay * w; v = momentum * v + g;
/// w -= rate * (nesterov ? g + momentum * v : v)`.
///
/// Cost: one pass per bucket, fused with the scale of the gradient; one velocity per device, none without
/// momentum. Errors: `ContractViolation` for a rate or decay that is negative or not finite, a momentum
/// outside [0, 1), and nesterov without momentum.
class Sgd {
 public:
  using consumes = Dense;
  using produces = Applied;
  static constexpr char const* name = "sgd";
  static constexpr bool has_learning_rate = true;

  explicit Sgd(SgdOptions options) : options_(options) {
    detail::check_not_negative("Sgd", "learning_rate", options.learning_rate);
    detail::check_memory("Sgd", "momentum", options.momentum);
    detail::check_not_negative("Sgd", "weight_decay", options.weight_decay);
    if (options.nesterov && options.momentum == 0.0)
      throw ContractViolation("Sgd: nesterov needs a momentum above 0");
  }

  template <Executor E, class Real>
  requires UpdatingBackend<E, Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return BoundOptimizer<Rule, E, Real>(
        context, Rule{{options_.momentum, options_.weight_decay, options_.nesterov}}, options_.learning_rate);
  }

  /// What a checkpoint tells of it, which has the learning rate by itself.
  std::string text() const {
    return "momentum " + std::to_string(options_.momentum) + (options_.nesterov ? ", nesterov" : "") +
           ", weight decay " + std::to_string(options_.weight_decay);
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&) const {
    return sizeof(OptimizerState) + (options_.momentum != 0.0 ? plan.elements() * sizeof(Real) : 0);
  }

 private:
  struct Rule {
    SgdConstants constants;

    static constexpr double beta1() { return 1.0; }
    static constexpr double beta2() { return 1.0; }
    std::span<char const* const> moments() const {
      static constexpr char const* names[] = {"sgd.velocity"};
      return {names, constants.momentum != 0.0 ? std::size_t{1} : std::size_t{0}};
    }

    template <Executor E, class Real, class Moments>
    void update(E const& executor, ViewOn<Real const, E> weights,
                TensorView<Real, typename E::memory_space> out, ViewOn<Real const, E> gradient,
                Moments const& moments, OptimizerState const* state, GradientScale scale) const {
      ViewOn<Real, E> velocity;
      if (constants.momentum != 0.0) velocity = moments(0);
      sgd_update(executor, weights, out, gradient, velocity, constants, state, scale);
    }

    template <Executor E, class Element, class Real, class Moments>
    void update_pieces(E const& executor, UpdateList<Real> const& list,
                       std::span<WeightedTerm<Element, typename E::memory_space> const> terms,
                       Moments const& moments, OptimizerState const* state, GradientScale scale) const {
      ViewOn<Real, E> velocity;
      if (constants.momentum != 0.0) velocity = moments(0);
      sgd_update_pieces(executor, list, terms, velocity, constants, state, scale);
    }
  };

  SgdOptions options_;
};

}  // namespace weir::inline v1
