#pragma once

#include <cstddef>
#include <vector>

#include "weir/stage/concepts.hpp"

/// Writes a bucket's gradient, with its scale, where its parameters are in registration order.
template <class E, class Real>
void put_in_registration_order(weir::BucketPlan const& plan, weir::DenseGradient<E, Real> const& gradient,
                               std::vector<Real>& all) {
  Real const factor = static_cast<Real>(gradient.scale.factor());
  std::size_t offset = 0;
  for (std::size_t p = 0; p < plan.parameters(); ++p) {
    std::size_t const size = plan.parameter(p).elements;
    auto const place = plan.place(p);
    if (place.bucket == gradient.bucket) {
      for (std::size_t i = 0; i < size; ++i) all[offset + i] = gradient.values[place.offset + i] * factor;
    }
    offset += size;
  }
}

/// A stage in the place of an optimizer: keeps the gradient of each step that it would have applied, in
/// registration order.
template <class Real = float>
class Collect {
 public:
  using consumes = weir::Dense;
  using produces = weir::Applied;
  static constexpr char const* name = "collect";

  explicit Collect(std::vector<std::vector<Real>>& steps) : steps_(&steps) {}

  template <weir::HostOrderedExecutor E>
  auto on(weir::RecipeContext<E, Real> const& context) const {
    return [steps = steps_, plan = &context.plan](weir::DenseGradient<E, Real> gradient) {
      gradient.materialise();
      if (gradient.bucket == 0) steps->emplace_back(plan->elements());
      put_in_registration_order(*plan, gradient, steps->back());
      return weir::AppliedGradient<E>{gradient.executor, gradient.bucket, gradient.step};
    };
  }

 private:
  std::vector<std::vector<Real>>* steps_;
};
