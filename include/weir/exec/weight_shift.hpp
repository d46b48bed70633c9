#pragma once

#include <cstddef>

namespace weir::inline v1 {

/// Where an update reads and writes the weights, in elements from where they were bound: versions of weights
/// that are laid out alike are switched without a copy.
struct WeightShift {
  std::ptrdiff_t read = 0;
  std::ptrdiff_t write = 0;

  constexpr bool moves() const { return read != write; }
};

}  // namespace weir::inline v1
