#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "weir/stage/context.hpp"
#include "weir/stage/weight_policy.hpp"

namespace weir::inline v1 {

/// Devices of one name with the same work.
struct PlanGroup {
  std::string device = {};
  std::size_t count = 0;
  std::size_t workers = 0;
  std::size_t micro_batches = 0;

  friend bool operator==(PlanGroup const&, PlanGroup const&) = default;
};

/// How a global batch is shared out over the devices of a cluster, or why it cannot be.
struct Plan {
  bool feasible = false;
  std::string reason = {};  // if not feasible: why, for each local batch
  std::size_t global_batch = 0;
  std::size_t local_batch = 0;
  WeightPolicy weight_sync = WeightPolicy::overlap;
  std::vector<WorkLayout> ranks = {};  // what `sync.resize` takes
  std::vector<PlanGroup> groups = {};  // in cluster order, those with more work first
  double seconds_per_step = 0;         // as the time model predicts it

  double samples_per_second() const { return static_cast<double>(global_batch) / seconds_per_step; }
};

}  // namespace weir::inline v1
