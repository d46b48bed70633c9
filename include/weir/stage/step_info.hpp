#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/weight_shift.hpp"

namespace weir::inline v1 {

/// What is known about an optimizer step when it starts, the same on every worker.
struct StepInfo {
  std::uint64_t number = 0;             // 0, 1, 2, .. ; restored with a checkpoint
  std::size_t samples = 0;              // of all micro-batches on all ranks
  std::size_t local_batch = 1;          // samples of a full micro-batch
  std::size_t micro_batches = 1;        // per worker of this rank
  std::size_t first_micro_batch = 0;    // those of the ranks before this one
  std::size_t total_micro_batches = 1;  // of all ranks
  WeightShift weights = {};             // for the optimizer; not 0 only for sources that keep versions
};

}  // namespace weir::inline v1
