#pragma once

#include <cstddef>

#include "weir/exec/gradient_control.hpp"
#include "weir/exec/optimizer_constants.hpp"
#include "weir/exec/optimizer_state.hpp"
#include "weir/host/load_store.hpp"

namespace weir::inline v1 {
namespace detail {

/// The operations of `AdamConstants`, in their order.
template <class Number>
struct AdamWUpdate {
  using Real = Number;
  struct Arrays {
    Real const* weights;
    Real* out;
    Real const* gradient;
    Real* first_moment;
    Real* second_moment;
  };

  AdamWUpdate(Arrays const& all, AdamConstants const& constants, OptimizerState const& state,
              GradientScale const& scale)
      : arrays(all),
        factor(static_cast<Real>(scale.factor())),
        rate(static_cast<Real>(state.learning_rate)),
        beta1(static_cast<Real>(constants.beta1)),
        beta2(static_cast<Real>(constants.beta2)),
        rest1(static_cast<Real>(1.0 - constants.beta1)),
        rest2(static_cast<Real>(1.0 - constants.beta2)),
        correction1(static_cast<Real>(1.0 / (1.0 - state.beta1_power))),
        correction2(static_cast<Real>(1.0 / (1.0 - state.beta2_power))),
        epsilon(static_cast<Real>(constants.epsilon)),
        weight_decay(static_cast<Real>(constants.weight_decay)) {}

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    Lanes<Real, Count> weights, gradient, first, second;
    load<Real, Count>(arrays.weights + i, weights);
    load<Real, Count>(arrays.gradient + i, gradient);
    load<Real, Count>(arrays.first_moment + i, first);
    load<Real, Count>(arrays.second_moment + i, second);

    Lanes<Real, Count> square, change;
    multiply(gradient, factor, gradient);
    multiply(gradient, rest2, square);
    multiply(square, gradient, square);
    multiply(gradient, rest1, gradient);
    multiply_add(first, beta1, gradient, first);
    multiply_add(second, beta2, square, second);
    store<Real, Count>(first, arrays.first_moment + i);
    store<Real, Count>(second, arrays.second_moment + i);

    multiply(first, correction1, first);
    multiply(second, correction2, second);
    square_root<Real, Count>(second, second);
    Lanes<Real, Count> const ratio = first / (second + epsilon);
    multiply_add(weights, weight_decay, ratio, change);
    multiply(change, rate, change);
    Lanes<Real, Count> const updated = weights - change;
    store<Real, Count>(updated, arrays.out + i);
  }

  Arrays arrays;
  Real factor;
  Real rate;
  Real beta1;
  Real beta2;
  Real rest1;  // 1 - beta1
  Real rest2;
  Real correction1;  // 1 / (1 - beta1^step)
  Real correction2;
  Real epsilon;
  Real weight_decay;
};

}  // namespace detail
}  // namespace weir::inline v1
