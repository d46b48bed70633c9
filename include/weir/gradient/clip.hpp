#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "weir/core/error.hpp"
#include "weir/exec/clip_step.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

struct ClipOptions {
  double max_norm = 1.0;
  bool per_bucket = false;  // each bucket on its own, which is another gradient but waits for nothing
};

/// Multiplies the gradient by max_norm / norm where its 2-norm exceeds max_norm.
///
/// Belongs after the all-reduce. Cost: one pass that measures; the factor is applied by the update. The
/// global norm needs all buckets: the update waits for the last collective. Errors: `ContractViolation`
/// unless max_norm is above zero.
class Clip {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "clip";
  static constexpr bool needs_all_buckets = true;
  static constexpr bool scales_gradient = true;

  explicit Clip(ClipOptions options) : options_(options) {
    if (!(options.max_norm > 0.0))
      throw ContractViolation("Clip: max_norm is " + std::to_string(options.max_norm) +
                              ", it has to be above 0");
  }

  template <Executor E, class Real>
  requires MeasuringBackend<E, Real> && ScalarBackend<E, ClipStep>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context, options_); }

  /// Of all parameters at once; the parts of a pipeline do not have it.
  bool needs_whole_gradient() const { return !options_.per_bucket; }

  /// What a checkpoint tells of it.
  std::string text() const {
    return "norm " + std::to_string(options_.max_norm) + (options_.per_bucket ? " per bucket" : "");
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&) const {
    return plan.size() * (sizeof(Measurement) + sizeof(GradientControl) + sizeof(double));
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, ClipOptions options)
        : options_(options),
          executor_(context.executor),
          measurements_(context.executor, context.plan.size()),
          controls_(context.executor, context.plan.size()),
          norms_(context.executor, context.plan.size()) {}

    bool holds() const { return !options_.per_bucket; }

    void prepare(DenseGradient<E, Real>& gradient) {
      Measurement* const measurement = measurements_.data() + gradient.bucket;
      if (!gradient.materialise({measurement})) {
        measure(gradient.executor, ViewOn<Real const, E>(gradient.values), measurement);
      }
      scale_ = gradient.scale;
      held_ = true;
    }

    void decide(E const& point, StepInfo const&) {
      if (std::exchange(held_, false)) apply_scalars(point, step(0, measurements_.size()));
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      std::size_t const slot = options_.per_bucket ? gradient.bucket : 0;
      if (options_.per_bucket) {
        prepare(gradient);
        apply_scalars(gradient.executor, step(slot, 1));
      }
      gradient.scale.control = controls_.data() + slot;
      return gradient;
    }

    /// The norm before clipping, in the last step that has passed; of the given bucket where each is clipped
    /// on its own. Blocks.
    double norm(std::size_t bucket = 0) const { return to_host(executor_, norms_.view())[bucket]; }

   private:
    ClipStep step(std::size_t slot, std::size_t count) const {
      return {measurements_.data() + slot, count, scale_, options_.max_norm, controls_.data() + slot,
              norms_.data() + slot};
    }

    ClipOptions options_;
    E executor_;
    Buffer<Measurement, E> measurements_;
    Buffer<GradientControl, E> controls_;
    Buffer<double, E> norms_;
    GradientScale scale_;
    bool held_ = false;
  };

  ClipOptions options_;
};

}  // namespace weir::inline v1
