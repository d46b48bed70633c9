#pragma once

#include <cstddef>

#include "weir/core/error.hpp"
#include "weir/stage/weight_policy.hpp"

namespace weir::inline v1 {

/// What training takes of a device's memory, besides activations. Units: bytes.
struct WorkerMemory {
  std::size_t weights = 0;          // W, one copy; a worker's gradients are as large
  std::size_t optimizer_state = 0;  // S
  WeightPolicy weight_sync = WeightPolicy::shared;
  bool error_feedback = false;  // a residual
  bool similarity = false;      // `HalfSum`: one more sum of each worker's gradients

  /// Whatever the number of workers.
  constexpr std::size_t fixed() const {
    std::size_t const copies = (weight_sync == WeightPolicy::shared ? 1u : 0u) + (error_feedback ? 1u : 0u);
    return optimizer_state + copies * weights;
  }
  /// For each worker.
  constexpr std::size_t per_worker() const {
    std::size_t const copies = (weight_sync == WeightPolicy::shared ? 1u : 2u) + (similarity ? 1u : 0u);
    return copies * weights;
  }
  constexpr std::size_t bytes(std::size_t workers) const { return fixed() + workers * per_worker(); }
};

/// The workers that fit into `budget` bytes; 0 if what is fixed does not.
/// Errors: `ContractViolation` for workers that take nothing.
constexpr std::size_t max_workers(std::size_t budget, std::size_t fixed, std::size_t per_worker) {
  if (per_worker == 0) throw ContractViolation("max_workers: 0 bytes per worker; at least 1 would be right");
  return budget < fixed ? 0 : (budget - fixed) / per_worker;
}

/// The same where each worker also takes `workspace` bytes for activations and the like.
constexpr std::size_t max_workers(std::size_t budget, WorkerMemory const& memory, std::size_t workspace) {
  return max_workers(budget, memory.fixed(), memory.per_worker() + workspace);
}

}  // namespace weir::inline v1
