#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/clock.hpp"

namespace weir::inline v1::detail {

/// One pass through the table.
struct PipelineRun {
  std::uint32_t number = 0;
  std::uint32_t micro_batches = 0;  // that there are samples for; the others are empty
  std::uint32_t periods = 0;        // that are updated
  std::size_t local_batch = 1;
  std::size_t samples = 0;
  std::size_t samples_of_all = 0;   // replicas, of the run or of the flushes of its update; 0: not known
  std::uint64_t first_version = 0;  // updates before it
  bool is_update = true;            // or its gradients are only summed
  std::size_t flush = 0;            // among those of an update
  bool is_evaluation = false;
  std::chrono::steady_clock::time_point begin = {};

  /// Of a micro-batch. Those after the end of the run are empty.
  constexpr std::size_t samples_of(std::size_t index) const {
    std::size_t const first = index * local_batch;
    if (index >= micro_batches || first >= samples) return 0;
    return samples - first < local_batch ? samples - first : local_batch;
  }
};

}  // namespace weir::inline v1::detail
