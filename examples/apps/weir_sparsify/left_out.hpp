#pragma once

#include <cmath>
#include <cstddef>

#include "aligned_array.hpp"

namespace weir_sparsify {

/// What a step without feedback has not sent: the finite elements but those in the `selected` slots. Nothing
/// of a step that was skipped.
template <class Real, class Element, class Index>
AlignedArray<Real> left_out(Element const* gradient, std::size_t size, bool is_sent, Index const* indices,
                            std::size_t selected) {
  AlignedArray<Real> left = AlignedArray<Real>::zeros(size);
  if (!is_sent) return left;
  for (std::size_t i = 0; i < size; ++i) {
    Real const value = static_cast<Real>(gradient[i]);
    if (std::isfinite(value)) left.data()[i] = value;
  }
  for (std::size_t i = 0; i < selected; ++i) left.data()[indices[i]] = 0;
  return left;
}

}  // namespace weir_sparsify
