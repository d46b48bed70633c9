#pragma once

#include <concepts>

#include "weir/core/host_device.hpp"
#include "weir/exec/gradient_control.hpp"
#include "weir/exec/optimizer_constants.hpp"
#include "weir/exec/optimizer_state.hpp"

namespace weir::inline v1 {

/// The operations of `SgdConstants`, in their order, which all backends share. `Math` has the rounded
/// operations on `Values`: one number (`NumberMath`) or several at once.
///
/// Reads the executor's memory when it is made.
template <std::floating_point Number>
struct SgdRule {
  using Real = Number;
  static constexpr int moments = 1;  // at most

  SgdRule() = default;
  WEIR_HOST_DEVICE SgdRule(SgdConstants const& constants, OptimizerState const& state,
                           GradientScale const& scale)
      : factor(static_cast<Real>(scale.factor())),
        rate(static_cast<Real>(state.learning_rate)),
        momentum(static_cast<Real>(constants.momentum)),
        weight_decay(static_cast<Real>(constants.weight_decay)),
        nesterov(constants.nesterov) {}

// A `Math` of the host alone is used on the host alone. There are no variables of the type `Values`: where it
// is a vector, nvcc refuses them in functions that are for the device, too.
#ifdef __CUDACC__
#pragma nv_exec_check_disable
#endif
  /// First: scales the gradient and adds the weight decay.
  template <class Math, class Values>
  [[gnu::always_inline]] WEIR_HOST_DEVICE inline void prepare(Values const& weights, Values& gradient) const {
    Math::multiply(gradient, factor, gradient);
    if (weight_decay != 0) Math::multiply_add(weights, weight_decay, gradient, gradient);
  }

#ifdef __CUDACC__
#pragma nv_exec_check_disable
#endif
  /// Then, where there is a velocity: updates it and turns the gradient into the direction of descent.
  template <class Math, class Values>
  [[gnu::always_inline]] WEIR_HOST_DEVICE inline void accelerate(Values& velocity, Values& gradient) const {
    Math::multiply_add(velocity, momentum, gradient, velocity);
    if (nesterov) {
      Math::multiply_add(velocity, momentum, gradient, gradient);
    } else {
      gradient = velocity;
    }
  }

#ifdef __CUDACC__
#pragma nv_exec_check_disable
#endif
  /// Last.
  template <class Math, class Values>
  [[gnu::always_inline]] WEIR_HOST_DEVICE inline void descend(Values const& weights, Values const& direction,
                                                              Values& updated) const {
    Math::multiply(direction, rate, updated);
    Math::subtract(weights, updated, updated);
  }

  Real factor;
  Real rate;
  Real momentum;
  Real weight_decay;
  bool nesterov;
};

}  // namespace weir::inline v1
