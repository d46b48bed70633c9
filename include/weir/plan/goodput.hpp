#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "weir/plan/plan.hpp"
#include "weir/plan/solve.hpp"
#include "weir/plan/time_model.hpp"

namespace weir::inline v1 {

/// What a sample is worth in a batch, against one of a batch of `reference_batch`: noisy gradients make good
/// use of large batches. Source: [qiao2021]
constexpr double batch_efficiency(double noise, double reference_batch, double global_batch) {
  return (noise + reference_batch) / (noise + global_batch);
}

/// The plan, of those for the given global batches, with the most throughput times efficiency; of equal ones
/// that of the smaller batch. Nothing if none is feasible. Errors: as `solve`. Source: [qiao2021]
inline std::optional<Plan> best_goodput(TimeModel const& model, PlanRequest request,
                                        std::span<std::size_t const> global_batches, double noise,
                                        std::size_t reference_batch) {
  std::optional<Plan> best;
  double best_value = 0;
  for (std::size_t const batch : global_batches) {
    request.global_batch = batch;
    Plan plan = solve(model, request);
    if (!plan.feasible) continue;
    double const value =
        plan.samples_per_second() *
        batch_efficiency(noise, static_cast<double>(reference_batch), static_cast<double>(batch));
    bool const is_better = !best || value > best_value || (value == best_value && batch < best->global_batch);
    if (!is_better) continue;
    best = std::move(plan);
    best_value = value;
  }
  return best;
}

}  // namespace weir::inline v1
