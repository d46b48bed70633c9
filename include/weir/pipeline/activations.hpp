#pragma once

#include <cstdint>
#include <vector>

#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"

namespace weir::inline v1 {

/// The most activations that each worker holds at a time. Those of a stage and micro-batch are held from F to
/// B or W; in a pair the new ones come before the old ones go.
///
/// Units: chunks (of one stage and one micro-batch).
constexpr std::vector<std::uint32_t> peak_activations(TableView const& table) {
  std::vector<std::uint32_t> peaks(table.workers(), 0);
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    std::uint32_t held = 0;
    for (Operation const& operation : table.worker(worker)) {
      if (is_forward(operation) && ++held > peaks[worker]) peaks[worker] = held;
      if (gives_weight_gradient(operation) && held > 0) --held;
    }
  }
  return peaks;
}

}  // namespace weir::inline v1
