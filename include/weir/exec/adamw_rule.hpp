#pragma once

#include <concepts>

#include "weir/core/host_device.hpp"
#include "weir/exec/gradient_control.hpp"
#include "weir/exec/optimizer_constants.hpp"
#include "weir/exec/optimizer_state.hpp"

namespace weir::inline v1 {

/// The operations of `AdamConstants`, in their order, which all backends share. `Math` has the rounded
/// operations on `Values`: one number (`NumberMath`) or several at once.
///
/// Reads the executor's memory when it is made.
template <std::floating_point Number>
struct AdamWRule {
  using Real = Number;
  static constexpr int moments = 2;

  AdamWRule() = default;
  WEIR_HOST_DEVICE AdamWRule(AdamConstants const& constants, OptimizerState const& state,
                             GradientScale const& scale)
      : factor(static_cast<Real>(scale.factor())),
        rate(static_cast<Real>(state.learning_rate)),
        beta1(static_cast<Real>(constants.beta1)),
        beta2(static_cast<Real>(constants.beta2)),
        rest1(static_cast<Real>(1.0 - constants.beta1)),
        rest2(static_cast<Real>(1.0 - constants.beta2)),
        correction1(static_cast<Real>(1.0 / (1.0 - state.beta1_power))),
        correction2(static_cast<Real>(1.0 / (1.0 - state.beta2_power))),
        epsilon(static_cast<Real>(constants.epsilon)),
        weight_decay(static_cast<Real>(constants.weight_decay)) {}

// A `Math` of the host alone is used on the host alone. There are no variables of the type `Values`: where it
// is a vector, nvcc refuses them in functions that are for the device, too.
#ifdef __CUDACC__
#pragma nv_exec_check_disable
#endif
  /// Overwrites `gradient`.
  template <class Math, class Values>
  [[gnu::always_inline]] WEIR_HOST_DEVICE inline void update(Values const& weights, Values& gradient,
                                                             Values& first_moment, Values& second_moment,
                                                             Values& updated) const {
    Math::multiply(gradient, factor, gradient);
    Math::multiply(gradient, rest2, updated);
    Math::multiply(updated, gradient, updated);
    Math::multiply(gradient, rest1, gradient);
    Math::multiply_add(first_moment, beta1, gradient, first_moment);
    Math::multiply_add(second_moment, beta2, updated, second_moment);

    Math::multiply(first_moment, correction1, gradient);
    Math::multiply(second_moment, correction2, updated);
    Math::square_root(updated, updated);
    Math::add(updated, epsilon, updated);
    Math::divide(gradient, updated, gradient);
    Math::multiply_add(weights, weight_decay, gradient, updated);
    Math::multiply(updated, rate, updated);
    Math::subtract(weights, updated, updated);
  }

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

}  // namespace weir::inline v1
