#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "layer.hpp"

namespace weir_train {

/// The mean loss of a micro-batch whose samples have the unnormalised logarithmic probabilities `logits`,
/// classes x samples. Writes the gradient of `scale` times that loss.
template <class Real>
double softmax_cross_entropy(Real const* logits, std::span<std::uint8_t const> labels, std::size_t classes,
                             double scale, Real* gradient) {
  auto const rows = static_cast<Index>(classes);
  auto const columns = static_cast<Index>(labels.size());
  auto const per_sample = static_cast<Real>(scale / static_cast<double>(labels.size()));
  ConstColumns<Real> const z(logits, rows, columns);
  Columns<Real> p(gradient, rows, columns);
  double loss = 0;
  for (Index sample = 0; sample < columns; ++sample) {
    Index const label = labels[static_cast<std::size_t>(sample)];
    Real const largest = z.col(sample).maxCoeff();
    p.col(sample) = z.col(sample).array() - largest;
    loss -= static_cast<double>(p(label, sample));
  }
  p = p.array().exp();
  for (Index sample = 0; sample < columns; ++sample) {
    Index const label = labels[static_cast<std::size_t>(sample)];
    Real const total = p.col(sample).sum();
    loss += std::log(static_cast<double>(total));
    p.col(sample) *= per_sample / total;
    p(label, sample) -= per_sample;
  }
  return loss / static_cast<double>(labels.size());
}

}  // namespace weir_train
