#pragma once

namespace weir::inline v1 {

// Both updates are computed in the weights' type, to which every constant is rounded once, and every
// operation is rounded, in the order written: no fused multiply-add, so that all backends give the same bits.
// `g` stands for the gradient times its `GradientScale`, `w` for the weight that goes in.

/// The constants of stochastic gradient descent, with v from zero:
/// ```
/// g = weight_decay * w + g                      (where weight_decay is not 0)
/// v = momentum * v + g
/// g = nesterov ? momentum * v + g : v           (these two where there is a velocity)
/// w = w - rate * g
/// ```
struct SgdConstants {
  double momentum = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;
};

/// The constants of Adam with decoupled weight decay, with m and v from zero and t the number of steps:
/// ```
/// m = beta1 * m + (1 - beta1) * g
/// v = beta2 * v + ((1 - beta2) * g) * g
/// w = w - rate * (weight_decay * w + (m * c1) / (sqrt(v * c2) + epsilon))
/// ```
/// where the constants 1 - beta1, 1 - beta2, c1 = 1 / (1 - beta1^t) and c2 = 1 / (1 - beta2^t) are computed
/// in double.
struct AdamConstants {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
};

}  // namespace weir::inline v1
