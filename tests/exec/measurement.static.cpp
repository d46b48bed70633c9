#include "weir/exec/measurement.hpp"

#include <type_traits>

// Kernels read it as it lies in memory.
static_assert(std::is_trivially_copyable_v<weir::Measurement> &&
              std::is_standard_layout_v<weir::Measurement>);
static_assert(weir::Measurement{}.sum_of_squares == 0.0 && weir::Measurement{}.non_finite == 0);
