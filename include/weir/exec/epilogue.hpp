#pragma once

#include "weir/exec/element_clamp.hpp"
#include "weir/exec/measurement.hpp"
#include "weir/exec/tail_statistics.hpp"

namespace weir::inline v1 {

/// What `sum_weighted` does besides, in the same pass over memory. All of it lies in the executor's memory.
struct SumEpilogue {
  Measurement* measurement = nullptr;  // becomes that of `out`
  void const* residual = nullptr;      // as many numbers of the type of `out`, added last: error feedback
  TailStatistics* tail = nullptr;      // become those of `out`
  ElementClamp clamp = {};             // of the sum, before the residual is added

  bool is_empty() const {
    return measurement == nullptr && residual == nullptr && tail == nullptr && clamp.is_empty();
  }
};

}  // namespace weir::inline v1
