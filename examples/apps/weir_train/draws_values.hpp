#pragma once

#include <span>

#include "weir/core/random.hpp"

namespace weir_train {

/// Matrices that draw their first values themselves, since these depend on what is live; for others the layer
/// does.
template <class Matrices, class Real>
concept DrawsValues = requires(Matrices const& matrices, weir::RandomStream const& random,
                               std::span<Real> values) {
  matrices.initialise(random, values);
};

}  // namespace weir_train
