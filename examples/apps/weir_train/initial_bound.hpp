#pragma once

#include <cmath>
#include <cstddef>

#include "activation.hpp"

namespace weir_train {

/// Half the width of the uniform distribution of a layer's first weights: He before a ReLU, else Glorot.
inline double initial_bound(std::size_t inputs, std::size_t outputs, Activation activation) {
  return std::sqrt(6.0 / static_cast<double>(activation == Activation::relu ? inputs : inputs + outputs));
}

}  // namespace weir_train
