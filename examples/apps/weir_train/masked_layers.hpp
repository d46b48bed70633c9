#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "layer_masks.hpp"
#include "masked_convolution.hpp"
#include "masked_dense.hpp"
#include "masked_matrices.hpp"

namespace weir_train {

/// Makes layers of which only the live weights exist.
template <class Real>
struct MaskedLayers {
  using Made = std::unique_ptr<Layer<Real> const>;
  using Matrices = MaskedMatrices<Real>;

  LayerMasks masks;

  Made linear(Shape input, std::size_t outputs, Activation activation) {
    return std::make_unique<MaskedDense<Real>>(input, masks.next(outputs, input.size()), activation);
  }
  Made convolution(Shape input, std::size_t filters, Activation activation) {
    return std::make_unique<MaskedConvolution<Real>>(input, masks.next(filters, input.channels), activation);
  }
  /// `count` matrices of so many rows, each with the next mask, whose first weights are worth those of dense
  /// ones in [-bound, bound).
  Matrices matrices(std::size_t inputs, std::size_t rows, std::size_t count, double bound) {
    std::vector<weir::MaskOptions> of_matrices;
    for (std::size_t matrix = 0; matrix < count; ++matrix) of_matrices.push_back(masks.next(rows, inputs));
    return Matrices(of_matrices, bound);
  }
};

}  // namespace weir_train
