#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// What to do with a bucket that holds a NaN or an infinity.
enum class NonFinitePolicy : std::uint8_t {
  skip,       // it counts as zero; the divisor stays
  propagate,  // it is only counted
  error,      // the step fails with `NonFiniteGradient`
};

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

  template <HostOrderedExecutor E, class Real>
  requires MeasuringBackend<E, Real>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context, policy_); }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&) const {
    return plan.size() * sizeof(Measurement);
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, NonFinitePolicy policy)
        : policy_(policy), measurements_(context.executor, context.plan.size()), seen_(context.plan.size()) {}

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      Measurement* const measurement = measurements_.data() + gradient.bucket;
      if (!gradient.materialise({measurement})) {
        measure(gradient.executor, ViewOn<Real const, E>(gradient.values), measurement);
      }
      if (measurement->non_finite == 0) return gradient;
      seen_[gradient.bucket] += measurement->non_finite;
      if (policy_ == NonFinitePolicy::error) {
        throw NonFiniteGradient(
            "bucket " + std::to_string(gradient.bucket) + " of step " + std::to_string(gradient.step.number) +
            " has " + std::to_string(measurement->non_finite) + " elements that are NaN or infinite");
      }
      if (policy_ == NonFinitePolicy::skip) set_zero(gradient.executor, gradient.values);
      return gradient;
    }

    /// Non-finite elements seen in a bucket so far. Streams: call it when the steps have passed.
    std::uint64_t seen(std::size_t bucket) const { return seen_[bucket]; }

   private:
    NonFinitePolicy policy_;
    Buffer<Measurement, E> measurements_;
    std::vector<std::uint64_t> seen_;
  };

  NonFinitePolicy policy_;
};

}  // namespace weir::inline v1
