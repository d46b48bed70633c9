#pragma once

#include <cstddef>
#include <memory>

#include "convolution.hpp"
#include "dense.hpp"

namespace weir_train {

/// Makes layers that have all their weights.
template <class Real>
struct DenseLayers {
  using Made = std::unique_ptr<Layer<Real> const>;

  Made linear(Shape input, std::size_t outputs, Activation activation) const {
    return std::make_unique<Dense<Real>>(input, outputs, activation);
  }
  Made convolution(Shape input, std::size_t filters, Activation activation) const {
    return std::make_unique<Convolution<Real>>(input, filters, activation);
  }
};

}  // namespace weir_train
