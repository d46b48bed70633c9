#pragma once

#include <cstddef>
#include <cstdint>

#include "chosen_sparsifier.hpp"
#include "configuration.hpp"
#include "device_threshold.hpp"
#include "weir/comm/gather_pairs.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir_train {

/// Sums the largest elements of gradients over ranks, each on a GPU. They exchange what a sparsifier has room
/// for, so that no host has to know how much was selected, and a step can be captured.
class DeviceGradients {
 public:
  static constexpr bool adapts = false;  // the batch

  DeviceGradients(Configuration const& configuration, std::uint64_t seed)
      : sparsification_(*configuration.sparsification), seed_(seed) {}

  /// From a dense gradient to the sum over the ranks.
  template <class Communicator>
  auto stages(Communicator const& communicator) {
    return sparsifier() | weir::AllReduce{communicator};
  }

  /// What this rank gives in each.
  std::size_t bytes_per_step(weir::BucketPlan const& plan, std::size_t) const {
    std::size_t words = 0;
    for (std::size_t const capacity : sparsifier().sparse_capacity(plan))
      words += weir::PairBlocks<float, weir::HostSpace>::words(capacity);
    return words * sizeof(std::uint64_t);
  }

 private:
  ChosenSparsifier sparsifier() const {
    return make_sparsifier(sparsification_, {.capacity = room(sparsification_.estimator), .seed = seed_});
  }

  /// As a multiple of what is wanted. These are never further off than that.
  static double room(Estimator estimator) {
    bool const is_close =
        estimator == Estimator::histogram || estimator == Estimator::topk || estimator == Estimator::random_k;
    return is_close ? 1.01 : 2.0;
  }

  Sparsification sparsification_;
  std::uint64_t seed_;
};

}  // namespace weir_train
