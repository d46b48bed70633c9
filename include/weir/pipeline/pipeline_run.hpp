#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir::inline v1::detail {

/// One pass through the table.
struct PipelineRun {
  std::uint32_t number = 0;
  std::uint32_t micro_batches = 0;  // that there are samples for; the others are empty
  std::uint32_t periods = 0;        // that are updated
  std::size_t local_batch = 1;
  std::uint64_t first_version = 0;  // updates before it
  bool is_update = true;            // or its gradients are only summed
  std::size_t flush = 0;            // among those of an update
  bool is_evaluation = false;
  std::chrono::steady_clock::time_point begin = {};
};

}  // namespace weir::inline v1::detail
