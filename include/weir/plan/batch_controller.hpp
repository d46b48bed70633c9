#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "weir/plan/plan.hpp"
#include "weir/plan/solve.hpp"
#include "weir/plan/time_model.hpp"

namespace weir::inline v1 {

enum class BatchChange : std::uint8_t { keep, grow, shrink };

/// What the similarity of the halves of a gradient says about the batch: those that differ want a larger one.
/// Source: [qin2021]
constexpr BatchChange change_by_similarity(std::optional<double> similarity, double threshold = 0.1) {
  if (!similarity || *similarity == threshold) return BatchChange::keep;
  return *similarity < threshold ? BatchChange::grow : BatchChange::shrink;
}

/// What the noise scale says about a batch that is further than `margin` from it. Source: [mccandlish2018]
constexpr BatchChange change_by_noise(std::optional<double> noise, std::size_t global_batch,
                                      double margin = 1.25) {
  double const batch = static_cast<double>(global_batch);
  if (noise && *noise > margin * batch) return BatchChange::grow;
  if (noise && *noise < batch / margin) return BatchChange::shrink;
  return BatchChange::keep;
}

/// How far a batch may go.
struct BatchLimits {
  std::size_t low = 1;
  std::size_t high = 1;
  double rate = 0.1;  // share of the batch by which it changes at a time
  /// An even number of micro-batches, as the reference needs it: to compare with it.
  bool two_group = false;
};

/// The best plan for a batch changed by about `limits.rate`: of one candidate for each local batch, that with
/// the best predicted throughput. Nothing if the batch is to be kept or no candidate changes it the right
/// way within the limits; go on as before then. Candidates that rounding has put beyond a limit are left out.
///
/// `current` is what the batch in use was planned with. Errors: as `solve`. Source: [iidp]
inline std::optional<Plan> change_batch(TimeModel const& model, PlanRequest const& current,
                                        BatchChange change, BatchLimits const& limits) {
  if (change == BatchChange::keep) return {};
  bool const grows = change == BatchChange::grow;
  double const low = static_cast<double>(limits.low);
  double const high = static_cast<double>(limits.high);
  double target = static_cast<double>(current.global_batch) * (grows ? 1 + limits.rate : 1 - limits.rate);
  target = target < low ? low : target > high ? high : target;

  std::optional<Plan> best;
  for (LocalBatchProfile const& batch : model.device_of(0).local_batches) {
    if (current.local_batch != 0 && current.local_batch != batch.size) continue;
    std::size_t micro_batches = static_cast<std::size_t>(target / static_cast<double>(batch.size) + 0.5);
    if (limits.two_group && micro_batches % 2 != 0) micro_batches += grows ? std::size_t{1} : std::size_t(-1);
    PlanRequest request = current;
    request.local_batch = batch.size;
    request.global_batch = batch.size * micro_batches;
    bool const moves =
        grows ? request.global_batch > current.global_batch : request.global_batch < current.global_batch;
    bool const is_allowed = request.global_batch >= limits.low && request.global_batch <= limits.high;
    if (!moves || !is_allowed || micro_batches < model.ranks()) continue;
    Plan plan = solve(model, request);
    if (!plan.feasible) continue;
    if (best && plan.samples_per_second() <= best->samples_per_second()) continue;
    best = std::move(plan);
  }
  return best;
}

}  // namespace weir::inline v1
