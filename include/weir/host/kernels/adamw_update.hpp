#pragma once

#include <cstddef>

#include "weir/exec/adamw_rule.hpp"
#include "weir/host/lane_math.hpp"
#include "weir/host/load_store.hpp"

namespace weir::inline v1 {
namespace detail {

/// `AdamWRule` on arrays.
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
      : arrays(all), rule(constants, state, scale) {}

  template <int Count>
  [[gnu::always_inline]] void step(std::size_t i) const {
    using Math = LaneMath<Real, Count>;
    Lanes<Real, Count> weights, gradient, first, second, updated;
    load<Real, Count>(arrays.weights + i, weights);
    load<Real, Count>(arrays.gradient + i, gradient);
    load<Real, Count>(arrays.first_moment + i, first);
    load<Real, Count>(arrays.second_moment + i, second);
    rule.template update<Math>(weights, gradient, first, second, updated);
    store<Real, Count>(first, arrays.first_moment + i);
    store<Real, Count>(second, arrays.second_moment + i);
    store<Real, Count>(updated, arrays.out + i);
  }

  Arrays arrays;
  AdamWRule<Real> rule;
};

}  // namespace detail
}  // namespace weir::inline v1
