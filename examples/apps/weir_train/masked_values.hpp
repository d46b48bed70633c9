#pragma once

#include <cstdint>

#include "activation.hpp"
#include "weir/core/random.hpp"
#include "weir/exec/masked_product.hpp"

namespace weir_train {

inline weir::Activation library_activation(Activation activation) {
  return activation == Activation::relu ? weir::Activation::relu : weir::Activation::identity;
}

/// A seed for a parameter's first values, from the numbers that are its own.
inline std::uint64_t seed_of(weir::RandomStream const& random) {
  return std::uint64_t{random.word(0)} << 32 | random.word(1);
}

}  // namespace weir_train
