#pragma once

#include "weir/exec/measurement.hpp"

namespace weir::inline v1 {

/// What `sum_weighted` does besides, in the same pass over memory.
struct SumEpilogue {
  Measurement* measurement = nullptr;  // in the executor's memory: that of the sum, or nothing
};

}  // namespace weir::inline v1
