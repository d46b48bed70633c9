#pragma once

#include <cstddef>
#include <cstdint>

#include "configuration.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir_train {

/// Sums whole gradients over ranks.
class WholeGradients {
 public:
  static constexpr bool adapts = false;  // the batch

  WholeGradients(Configuration const&, std::uint64_t) {}

  /// From a dense gradient to the sum over the ranks.
  template <class Communicator>
  auto stages(Communicator const& communicator) {
    return weir::AllReduce{communicator};
  }

  /// What this rank has given, on average.
  std::size_t bytes_per_step(weir::BucketPlan const& plan, std::size_t) const {
    return plan.elements() * sizeof(float);
  }
};

}  // namespace weir_train
