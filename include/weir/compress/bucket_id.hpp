#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/tensor/bucket_plan.hpp"

namespace weir::inline v1 {

/// Tells buckets of the same parameters from others, on every rank and in every run, wherever in the plan
/// they are: a hash of the parameters' numbers and sizes in their order.
inline std::uint64_t bucket_id(BucketPlan const& plan, std::size_t bucket) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  auto const mix = [&hash](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3u; };
  for (std::size_t parameter : plan[bucket].parameters) {
    mix(parameter);
    mix(plan.parameter(parameter).elements);
  }
  return hash;
}

}  // namespace weir::inline v1
