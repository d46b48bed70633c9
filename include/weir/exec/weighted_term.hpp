#pragma once

#include "weir/tensor/view.hpp"

namespace weir::inline v1 {

/// One summand of `sum_weighted`: `weight * values`.
template <class Element, class Space>
struct WeightedTerm {
  TensorView<Element const, Space> values;
  double weight = 1.0;
};

}  // namespace weir::inline v1
