#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/schedule_table.hpp"
#include "weir/pipeline/weight_versions.hpp"

namespace weir::inline v1 {

/// What a stage takes of memory. Units: bytes.
struct StageBytes {
  std::uint64_t weights = 0;     ///< one version
  std::uint64_t activation = 0;  ///< of one micro-batch
  std::uint64_t input = 0;       ///< of one micro-batch, where the activations are recomputed from it
};

/// Which stages keep the inputs of micro-batches only, and run their forward again before the backward.
enum class Recompute : std::uint8_t { never, always, except_last };

namespace detail {
constexpr bool recomputes(Recompute policy, std::uint32_t stage, std::uint32_t stages) {
  return policy == Recompute::always || (policy == Recompute::except_last && stage + 1 < stages);
}
}  // namespace detail

/// The most bytes of weights and activations that each worker holds at a time, the live versions of its
/// stages' weights among them.
///
/// Errors: ContractViolation unless there is a `StageBytes` for each stage.
constexpr std::vector<std::uint64_t> peak_bytes(TableView const& table, std::span<StageBytes const> stages,
                                                Recompute recompute = Recompute::never) {
  if (stages.size() != table.stages())
    throw ContractViolation("peak_bytes: one StageBytes for each stage would be right");
  std::vector<StageVersions> const versions = weight_versions(table);
  std::vector<std::uint64_t> peaks(table.workers(), 0);
  for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
    std::vector<std::uint8_t> is_here(2 * stages.size(), 0);
    std::uint64_t weights = 0;
    std::uint64_t held = 0;
    std::uint64_t peak = 0;
    std::span<Operation const> const operations = table.worker(worker);
    auto const is_recomputed = [&](Operation const& operation) {
      return detail::recomputes(recompute, operation.stage, table.stages());
    };
    for (std::size_t i = 0; i < operations.size(); ++i) {
      Operation const& operation = operations[i];
      if (!is_compute(operation)) continue;
      StageBytes const& stage = stages[operation.stage];
      std::size_t const copy =
          operation.stage * std::size_t{2} + static_cast<std::size_t>(operation.direction);
      if (is_here[copy] == 0) weights += versions[operation.stage].live * stage.weights;
      is_here[copy] = 1;
      std::uint64_t const kept = is_recomputed(operation) ? stage.input : stage.activation;
      // What is recomputed is there as a whole while the forward or backward runs; of a backward that is
      // split, from the one part to the other; of one in a pair, while the forward runs, too.
      bool const is_split =
          operation.kind == OperationKind::backward_input || operation.kind == OperationKind::backward_weight;
      bool const is_paired = operation.kind == OperationKind::pair && i + 1 < operations.size();
      std::uint64_t const waiting =
          is_paired && is_recomputed(operations[i + 1]) ? stages[operations[i + 1].stage].activation : 0;
      std::uint64_t const working = is_recomputed(operation) ? stage.activation : 0;
      if (is_forward(operation)) held += kept;
      if (operation.kind == OperationKind::backward_input) held += working;
      if (std::uint64_t const now = held + waiting + (is_split ? 0 : working); now > peak) peak = now;
      if (operation.kind == OperationKind::backward_weight) held -= working;
      if (gives_weight_gradient(operation)) held -= kept;
    }
    peaks[worker] = weights + peak;
  }
  return peaks;
}

}  // namespace weir::inline v1
