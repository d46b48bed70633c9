#pragma once

#include <cstddef>
#include <cstdint>

#include "chosen_threshold.hpp"
#include "configuration.hpp"
#include "sent_bytes.hpp"
#include "weir/compress/collective/all_gather_pairs.hpp"
#include "weir/compress/error_feedback.hpp"
#include "weir/compress/threshold_sparsifier.hpp"
#include "weir/gradient/all_reduce.hpp"

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
    return sparsifier() | SentBytes{sent_} | weir::AllReduce{communicator, weir::AllGatherPairs{}};
  }

  /// What this rank has given, on average.
  std::size_t bytes_per_step(std::size_t, std::size_t steps) const { return (sent_ + steps / 2) / steps; }

 private:
  using Sparsifier = weir::ThresholdSparsifier<ChosenThreshold, ChosenStages>;

  /// One type with and without feedback: `ErrorFeedback` is this memory.
  Sparsifier sparsifier() const {
    Sparsifier const sparsifier({.density = sparsification_.density, .seed = seed_},
                                ChosenThreshold{sparsification_.estimator}, ChosenStages{sparsification_});
    using Memory = weir::SparsifierMemoryKind;
    return sparsifier.remembering({.kind = sparsification_.has_feedback ? Memory::residual : Memory::none});
  }

  Sparsification sparsification_;
  std::uint64_t seed_;
  std::uint64_t sent_ = 0;
};

}  // namespace weir_train
