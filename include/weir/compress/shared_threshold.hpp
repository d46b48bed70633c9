#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "weir/compress/rank_exchange.hpp"
#include "weir/compress/sparsifier_memory.hpp"
#include "weir/compress/tail_exchange.hpp"
#include "weir/core/error.hpp"
#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

/// A sparsifier whose ranks all take the same threshold, that of the magnitudes of all of them: a rank with
/// larger gradients sends more than one with smaller ones, and may send nothing. One whose gradient is not
/// finite takes no part, unless that is propagated.
///
/// `ErrorFeedback{SharedThreshold{communicator, ThresholdSparsifier{..}}}`. For `Histogram` and `ExactTopK`,
/// whose ranks together select what one would of their data, in rank order; each has room for `capacity`
/// times its own share. And for policies that are fitted once, whose ranks fit the same moments. Cost: an
/// all-gather of seven words per bucket and step, between the pass that looks and the one that selects; for
/// those that count, what `RankExchange` says. Errors: those of the sparsifier and of the communicator;
/// `ContractViolation` for a sparsifier with `reuse`, whose ranks would each correct a threshold of their
/// own.
template <class Communicator, class Stage>
class SharedThreshold {
  static_assert(
      Sparsifier<Stage>,
      "SharedThreshold is for what a sparsifier selects: give it a ThresholdSparsifier, and no other "
      "stage");
  static_assert(Stage::is_fitted_once || Stage::counts_magnitudes,
                "only a threshold that is counted or fitted once can be shared: Histogram, ExactTopK, or "
                "Exponential and the like in one stage");

 public:
  using consumes = Dense;
  using produces = Sparse;
  static constexpr char const* name = "shared threshold";
  static constexpr bool needs_unscaled_gradients = true;

  SharedThreshold(Communicator communicator, Stage const& sparsifier)
      : communicator_(std::move(communicator)), sparsifier_(sparsifier) {
    if (sparsifier.reuses_threshold())
      throw ContractViolation(
          "SharedThreshold: the sparsifier has a ThresholdReuse, which would move each rank's threshold by "
          "what that rank selects: leave .reuse away, a shared threshold is fitted in each step anyway");
  }

  /// The same with a memory of what was not sent.
  SharedThreshold remembering(SparsifierMemory const& memory) const {
    return SharedThreshold(communicator_, sparsifier_.remembering(memory));
  }

  template <Executor E, class Real>
  requires BindsToRecipe<Stage, E, Real> && GatheringCommunicator<Communicator, E, std::uint64_t> &&
      ScalarBackend<E, MergeTails> &&
      (!Stage::counts_magnitudes || ReducingCommunicator<Communicator, E, std::uint64_t>)auto on(
          RecipeContext<E, Real> const& context) const {
    if constexpr (Stage::counts_magnitudes) {
      return sparsifier_.on(context, RankExchange<Communicator, E, Real>(context.executor, communicator_));
    } else {
      return sparsifier_.on(context, TailExchange<Communicator, E>(context.executor, communicator_));
    }
  }

  /// By bucket, how many pairs it gives at most.
  std::vector<std::size_t> sparse_capacity(BucketPlan const& plan) const {
    return sparsifier_.sparse_capacity(plan);
  }

  /// What a checkpoint tells of it.
  std::string text() const { return sparsifier_.text() + ", shared"; }

  /// What it allocates when it is bound, besides the scratch memory of the backend. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    std::size_t const bytes = sparsifier_.template workspace_bytes<Real>(plan, layout);
    if constexpr (Stage::counts_magnitudes) {
      return bytes + rank_exchange_bytes<Real>(communicator_.size());
    } else {
      return bytes + tail_exchange_bytes(communicator_.size());
    }
  }

 private:
  Communicator communicator_;
  Stage sparsifier_;
};

}  // namespace weir::inline v1
