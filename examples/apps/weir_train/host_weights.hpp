#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include "weir/core/error.hpp"

namespace weir_train {

/// Memory for so many weights. Errors: `weir::OutOfMemory`, which says how much that is.
inline std::vector<float> host_weights(std::size_t elements) {
  try {
    return std::vector<float>(elements);
  } catch (std::bad_alloc const&) {
    throw weir::OutOfMemory(elements * sizeof(float), "the host");
  }
}

}  // namespace weir_train
