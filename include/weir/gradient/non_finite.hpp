#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/count_non_finite.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/non_finite_policy.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Looks for NaN and infinity in each bucket. Before the all-reduce it concerns this rank's contribution
/// alone.
///
/// Cost: one pass that measures, part of the pending sum where there is one.
class NonFinite {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "non-finite";

  explicit NonFinite(NonFinitePolicy policy = NonFinitePolicy::skip) : policy_(policy) {}

  template <Executor E, class Real>
  requires MeasuringBackend<E, Real> && ConditionalBackend<E, Real> && ScalarBackend<E, CountNonFinite>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context, policy_); }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&) const {
    return plan.size() * (sizeof(Measurement) + sizeof(std::uint64_t));
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, NonFinitePolicy policy)
        : policy_(policy),
          executor_(context.executor),
          measurements_(context.executor, context.plan.size()),
          seen_(context.executor, context.plan.size()),
          reported_(context.plan.size()) {
      set_zero(executor_, seen_.view());
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      std::size_t const bucket = gradient.bucket;
      Measurement* const measurement = measurements_.data() + bucket;
      if (!gradient.materialise({.measurement = measurement})) {
        measure(gradient.executor, ViewOn<Real const, E>(gradient.values), measurement);
      }
      apply_scalars(gradient.executor, CountNonFinite{measurement, seen_.data() + bucket});
      if constexpr (HostOrderedExecutor<E>) {
        if (policy_ == NonFinitePolicy::error && measurement->non_finite != 0)
          fail({}, measurement->non_finite);
      }
      if (policy_ != NonFinitePolicy::propagate)
        clear_if(gradient.executor, gradient.values, &measurement->non_finite);
      return gradient;
    }

    /// Non-finite elements seen in a bucket so far. Blocks.
    std::uint64_t seen(std::size_t bucket) const {
      return to_host(executor_, seen_.view().part(bucket, 1))[0];
    }

    /// On a device it is known only afterwards; the bucket has counted as zero.
    void raise() requires(!HostOrderedExecutor<E>) {
      if (policy_ != NonFinitePolicy::error) return;
      std::vector<std::uint64_t> const seen = to_host(executor_, seen_.view());
      std::vector<std::uint64_t> const before = std::exchange(reported_, seen);
      for (std::size_t bucket = 0; bucket < seen.size(); ++bucket) {
        if (seen[bucket] != before[bucket])
          fail("bucket " + std::to_string(bucket) + ": ", seen[bucket] - before[bucket]);
      }
    }

   private:
    [[noreturn]] static void fail(std::string const& place, std::uint64_t count) {
      throw NonFiniteGradient(place + std::to_string(count) + " elements are NaN or infinite");
    }

    NonFinitePolicy policy_;
    E executor_;
    Buffer<Measurement, E> measurements_;
    Buffer<std::uint64_t, E> seen_;  // by bucket
    std::vector<std::uint64_t> reported_;
  };

  NonFinitePolicy policy_;
};

}  // namespace weir::inline v1
