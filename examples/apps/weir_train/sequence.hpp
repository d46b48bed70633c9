#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "layer.hpp"

namespace weir_train {

/// The shape of a sequence: a column of `width` numbers for each position.
inline Shape sequence(std::size_t length, std::size_t width) {
  return {length, 1, width};
}

/// The columns of all samples of a pass over sequences of this shape.
template <class Real>
Index columns_of(LayerPass<Real> const& pass, Shape const& shape) {
  return static_cast<Index>(pass.samples * shape.pixels());
}

/// Zeroes gradients that are to be overwritten, so that what follows can add to them.
template <class Real>
void prepare_gradients(LayerPass<Real> const& pass, std::size_t first, std::size_t second) {
  if (pass.accumulate) return;
  std::fill_n(pass.gradients[0], first, Real{0});
  std::fill_n(pass.gradients[1], second, Real{0});
}

/// Hands out a layer's scratch memory piece by piece.
template <class Real>
class Pieces {
 public:
  explicit Pieces(Real* free) : free_(free) {}
  Real* take(Index elements) { return std::exchange(free_, free_ + elements); }

 private:
  Real* free_;
};

}  // namespace weir_train
