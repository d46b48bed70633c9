#pragma once

#include <cstddef>

#include "weir/exec/gradient_control.hpp"
#include "weir/exec/optimizer_constants.hpp"
#include "weir/exec/optimizer_state.hpp"
#include "weir/host/load_store.hpp"

namespace weir::inline v1 {
namespace detail {

/// The operations of `SgdConstants`, in their order.
template <class Number>
struct SgdUpdate {
  using Real = Number;
  struct Arrays {
    Real const* weights;
    Real* out;
    Real const* gradient;
    Real* velocity;  // null: no momentum
  };

  SgdUpdate(Arrays const& all, SgdConstants const& constants, OptimizerState const& state,
            GradientScale const& scale)
      : arrays(all),
        factor(static_cast<Real>(scale.factor())),
        rate(static_cast<Real>(state.learning_rate)),
        momentum(static_cast<Real>(constants.momentum)),
        weight_decay(static_cast<Real>(constants.weight_decay)),
        nesterov(constants.nesterov) {}

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    Lanes<Real, Count> weights, gradient;
    load<Real, Count>(arrays.weights + i, weights);
    load<Real, Count>(arrays.gradient + i, gradient);
    multiply(gradient, factor, gradient);
    if (weight_decay != 0) multiply_add(weights, weight_decay, gradient, gradient);
    if (arrays.velocity != nullptr) {
      Lanes<Real, Count> velocity;
      load<Real, Count>(arrays.velocity + i, velocity);
      multiply_add(velocity, momentum, gradient, velocity);
      store<Real, Count>(velocity, arrays.velocity + i);
      if (nesterov) {
        multiply_add(velocity, momentum, gradient, gradient);
      } else {
        gradient = velocity;
      }
    }
    Lanes<Real, Count> change;
    multiply(gradient, rate, change);
    Lanes<Real, Count> const updated = weights - change;
    store<Real, Count>(updated, arrays.out + i);
  }

  Arrays arrays;
  Real factor;
  Real rate;
  Real momentum;
  Real weight_decay;
  bool nesterov;
};

}  // namespace detail
}  // namespace weir::inline v1
