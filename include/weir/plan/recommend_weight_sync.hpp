#pragma once

#include <cstddef>
#include <vector>

#include "weir/stage/weight_policy.hpp"

namespace weir::inline v1 {

/// What the reference system would choose: `sequential` when the buckets before the last are on average above
/// `threshold` times the cap, else `overlap`. Units: sizes and cap in the same unit.
/// Source: [iidp], which truncates the mean to an integer and divides by zero for a single bucket.
inline WeightPolicy recommend_weight_sync(std::vector<double> const& bucket_sizes, double cap = 25.0,
                                          double threshold = 1.5) {
  if (bucket_sizes.size() < 2) return WeightPolicy::overlap;
  double sum = 0.0;
  for (std::size_t bucket = 0; bucket + 1 < bucket_sizes.size(); ++bucket) sum += bucket_sizes[bucket];
  double const mean = sum / static_cast<double>(bucket_sizes.size() - 1);
  return mean / cap > threshold ? WeightPolicy::sequential : WeightPolicy::overlap;
}

}  // namespace weir::inline v1
