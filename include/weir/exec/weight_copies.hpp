#pragma once

#include "weir/tensor/element_type.hpp"

namespace weir::inline v1 {

/// Where an update writes the weights besides, rounded to a narrower type.
struct WeightCopies {
  void* const* by_parameter = nullptr;      // in the executor's memory, as what it points to; null: nowhere
  ElementType type = ElementType::float16;  // or bfloat16
};

}  // namespace weir::inline v1
