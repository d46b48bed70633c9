#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "weir/plan/time_model.hpp"

namespace weir::inline v1 {

/// Replays one step event by event: a bucket is sent when the slowest device has it ready, one after another.
/// Differs from `TimeModel::seconds` where the backward pass does not hide the collectives, and where slow
/// devices delay early buckets. Units: seconds. Cost: devices times buckets.
/// Errors: `ContractViolation` if there are not as many layouts as ranks.
inline double simulate_step(TimeModel const& model, std::span<WorkLayout const> layouts,
                            WeightPolicy policy) {
  model.check_count(layouts.size());
  std::vector<double> const& sizes = model.profile().buckets_mib;
  double total = 0;
  for (double const size : sizes) total += size;

  std::vector<double> ready(sizes.size());
  std::vector<double> all_reduce(sizes.size());
  std::vector<double> updates;  // X, by rank
  auto const raise = [](double& value, double other) { value = other > value ? other : value; };
  for (std::size_t rank = 0; rank < layouts.size(); ++rank) {
    std::size_t const server = model.server_of(rank);
    WorkLayout const& layout = layouts[rank];
    StepPhases const phases = model.phases(server, layout.local_batch, layout.workers, policy);
    double before = 0;
    for (std::size_t j = 0; j < sizes.size(); ++j) {
      before += sizes[j];
      raise(ready[j], phases.last_backward(layout.micro_batches) + phases.backward * before / total);
      raise(all_reduce[j], model.bucket_seconds(server)[j]);
    }
    updates.push_back(phases.update);
  }

  std::vector<double> ends(sizes.size());  // of the collectives
  double sent = 0;
  for (std::size_t j = 0; j < sizes.size(); ++j) {
    raise(sent, ready[j]);
    sent += all_reduce[j];
    ends[j] = sent;
  }
  double latest = 0;
  for (double const update : updates) {
    double updated = 0;
    if (policy == WeightPolicy::sequential) {
      updated = sent + update;
    } else {
      for (std::size_t j = 0; j < sizes.size(); ++j) {
        raise(updated, ends[j]);
        updated += update * sizes[j] / total;
      }
    }
    raise(latest, updated);
  }
  return latest;
}

}  // namespace weir::inline v1
