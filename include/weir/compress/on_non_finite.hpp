#pragma once

#include "weir/exec/non_finite_policy.hpp"

namespace weir::inline v1 {

/// Names what a sparsifier does with a bucket that holds a NaN or an infinity, as a type:
/// `ThresholdSparsifier{{.density = 0.01}, Histogram{}, FixedStages<1>{},
/// OnNonFinite<NonFinitePolicy::error>{}}`.
template <NonFinitePolicy non_finite>
struct OnNonFinite {
  static constexpr NonFinitePolicy policy = non_finite;
};

}  // namespace weir::inline v1
