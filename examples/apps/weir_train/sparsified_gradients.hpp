#pragma once

#include <cstddef>
#include <cstdint>

#include "chosen_sparsifier.hpp"
#include "configuration.hpp"
#include "measure_advice.hpp"
#include "sent_bytes.hpp"
#include "weir/compress/collective/all_gather_pairs.hpp"
#include "weir/gradient/all_reduce.hpp"
#include "weir/tensor/bucket_plan.hpp"

namespace weir_train {

/// Sums the largest elements of gradients over ranks.
class SparsifiedGradients {
 public:
  static constexpr bool adapts = false;  // the batch

  SparsifiedGradients(Configuration const& configuration, std::uint64_t seed)
      : sparsification_(*configuration.sparsification), seed_(seed) {}

  /// From a dense gradient to the sum over the ranks.
  template <class Communicator>
  auto stages(Communicator const& communicator) {
    return make_sparsifier(sparsification_, {.seed = seed_}) | SentBytes{sent_} |
           weir::AllReduce{communicator, weir::AllGatherPairs{}};
  }

  /// What this rank has given, on average.
  std::size_t bytes_per_step(weir::BucketPlan const&, std::size_t steps) const {
    return (sent_ + steps / 2) / steps;
  }

  /// Whether that was worth it. All ranks call it, of which there are several.
  template <class Executor, class Communicator>
  Advice advice(Executor const& executor, Communicator const& communicator,
                weir::BucketPlan const& plan) const {
    return measure_advice(executor, communicator, plan, sparsification_.density,
                          ChosenThreshold{sparsification_.estimator});
  }

 private:
  Sparsification sparsification_;
  std::uint64_t seed_;
  std::uint64_t sent_ = 0;
};

}  // namespace weir_train
