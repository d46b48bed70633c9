#pragma once

#include <cstddef>

#include "weir/exec/sgd_rule.hpp"
#include "weir/host/lane_math.hpp"
#include "weir/host/load_store.hpp"

namespace weir::inline v1 {
namespace detail {

/// `SgdRule` on arrays.
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
      : arrays(all), rule(constants, state, scale) {}

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    using Math = LaneMath<Real, Count>;
    Lanes<Real, Count> weights, gradient, updated;
    load<Real, Count>(arrays.weights + i, weights);
    load<Real, Count>(arrays.gradient + i, gradient);
    rule.template prepare<Math>(weights, gradient);
    if (arrays.velocity != nullptr) {
      Lanes<Real, Count> velocity;
      load<Real, Count>(arrays.velocity + i, velocity);
      rule.template accelerate<Math>(velocity, gradient);
      store<Real, Count>(velocity, arrays.velocity + i);
    }
    rule.template descend<Math>(weights, gradient, updated);
    store<Real, Count>(updated, arrays.out + i);
  }

  Arrays arrays;
  SgdRule<Real> rule;
};

}  // namespace detail
}  // namespace weir::inline v1
