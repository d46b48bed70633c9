#pragma once

#include "weir/core/host_device.hpp"
#include "weir/core/rounded_product.hpp"
#include "weir/exec/sparsify_constants.hpp"

namespace weir::inline v1 {
namespace detail {

/// One element of `acc = beta * r + gamma * g`, or of the momentum correction. Every product is rounded
/// before it is added; a factor of 1 changes nothing.
template <class Number>
struct AccumulateRule {
  using Real = Number;
  Real factor = 1;  // of the gradient: gamma times its scale
  Real beta = 1;    // of the residual; -1 for a memory of differences
  Real momentum = 0;
  bool nesterov = false;

  AccumulateRule() = default;

  /// `scale`: what is still to be applied to the gradient.
  WEIR_HOST_DEVICE AccumulateRule(SparsifyConstants const& constants, double scale)
      : factor(static_cast<Real>(constants.gamma * scale)),
        beta(static_cast<Real>(constants.feedback == FeedbackKind::differences ? -1.0 : constants.beta)),
        momentum(static_cast<Real>(constants.momentum)),
        nesterov(constants.nesterov) {}

  WEIR_HOST_DEVICE Real gradient(Real sum) const { return rounded_product(sum, factor); }

  WEIR_HOST_DEVICE Real with_residual(Real g, Real r) const { return rounded_product(beta, r) + g; }

  /// Updates u and gives the accumulator.
  WEIR_HOST_DEVICE Real with_momentum(Real g, Real v, Real& u) const {
    if (!nesterov) {
      u = rounded_product(momentum, u) + g;
      return v + u;
    }
    u = rounded_product(momentum, static_cast<Real>(u + g));
    return (v + u) + g;
  }
};

}  // namespace detail
}  // namespace weir::inline v1
