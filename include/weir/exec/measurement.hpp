#pragma once

#include <cstdint>

namespace weir::inline v1 {

/// What one pass over a vector tells of it. Sums are taken in a fixed order.
struct Measurement {
  double sum_of_squares = 0.0;   // of the finite elements
  std::uint64_t non_finite = 0;  // how many elements are NaN or infinite
};

}  // namespace weir::inline v1
