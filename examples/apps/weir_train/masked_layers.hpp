#pragma once

#include <cstddef>
#include <memory>

#include "layer_masks.hpp"
#include "masked_convolution.hpp"
#include "masked_dense.hpp"

namespace weir_train {

/// Makes layers of which only the live weights exist.
template <class Real>
struct MaskedLayers {
  using Made = std::unique_ptr<Layer<Real> const>;

  LayerMasks masks;

  Made linear(Shape input, std::size_t outputs, Activation activation) {
    return std::make_unique<MaskedDense<Real>>(input, masks.next(outputs, input.size()), activation);
  }
  Made convolution(Shape input, std::size_t filters, Activation activation) {
    return std::make_unique<MaskedConvolution<Real>>(input, masks.next(filters, input.channels), activation);
  }
};

}  // namespace weir_train
