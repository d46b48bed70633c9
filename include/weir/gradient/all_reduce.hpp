#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "weir/comm/concepts.hpp"
#include "weir/gradient/layout_exchange.hpp"
#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

/// Sums a bucket over the ranks of a communicator, in place; from then on it counts the samples of all ranks.
///
/// Cost: one collective per bucket and step, in bucket order; when bound, one exchange of layouts.
/// Streams: on the recipe's. Errors: those of the communicator, and `FingerprintMismatch` where ranks differ
/// in bucket plan or local batch, from the recipe's `wait` and first step.
template <class Communicator>
class AllReduce {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "all-reduce";

  explicit AllReduce(Communicator communicator) : communicator_(std::move(communicator)) {}

  template <Executor E, class Real>
  requires ReducingCommunicator<Communicator, E, Real> &&
      GatheringCommunicator<Communicator, E, std::uint64_t>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context, communicator_); }

  /// What it allocates when it is bound, besides what the communicator reserves. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const&, WorkLayout const&) const {
    return layout_exchange_bytes(communicator_.size());
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, Communicator const& communicator)
        : communicator_(communicator), layouts_(context.executor, communicator) {
      std::size_t largest = 0;
      for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket)
        if (largest < context.plan[bucket].size) largest = context.plan[bucket].size;
      communicator_.reserve(context.executor, largest * sizeof(Real));
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      gradient.materialise();
      communicator_.all_reduce(gradient.executor, gradient.values);
      gradient.samples = gradient.step.samples;
      return gradient;
    }

    void post_layout(E const& executor, WorkLayout const& layout, std::uint64_t plan) {
      layouts_.post(executor, layout, plan);
    }
    RankLayout rank_layout() const { return layouts_.layout(); }
    std::uint64_t sum_samples(E const& point, std::uint64_t samples) { return layouts_.sum(point, samples); }

    void watch() requires(CheckableCommunicator<Communicator>) { communicator_.check(); }

    /// Releases the other ranks when a step has failed here.
    void abort() noexcept { communicator_.abort(); }

   private:
    Communicator communicator_;
    LayoutExchange<Communicator, E> layouts_;
  };

  Communicator communicator_;
};

}  // namespace weir::inline v1
