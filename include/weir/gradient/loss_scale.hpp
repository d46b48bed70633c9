#pragma once

#include <cstddef>
#include <utility>

#include "weir/core/check_option.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/loss_scale_step.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Dynamic loss scaling for 16-bit gradients: models multiply their loss by `Micro::loss_scale()`; here the
/// gradient is divided by it, or the step skipped where one overflowed.
///
/// Belongs after the all-reduce, so that all ranks decide alike; but before a stage that sparsifies, where
/// each rank decides for itself. A skipped step changes neither weights nor moments. Cost: one pass that
/// measures; needs all buckets. Errors: `ContractViolation` for a scale that is not above 0 and finite, a
/// growth below 1 or not finite, and a backoff outside (0, 1]. Source: [micikevicius2018]
class LossScale {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "loss scale";
  static constexpr bool needs_all_buckets = true;
  static constexpr bool scales_gradient = true;
  static constexpr bool takes_loss_scale_out = true;

  explicit LossScale(LossScaleOptions options = {}) : options_(options) {
    detail::check_positive("LossScale", "initial", options.initial);
    detail::check_positive("LossScale", "least", options.least);
    detail::check_option(detail::is_finite(options.growth) && options.growth >= 1.0, "LossScale", "growth",
                         options.growth, "finite and at least 1");
    detail::check_option(options.backoff > 0.0 && options.backoff <= 1.0, "LossScale", "backoff",
                         options.backoff, "above 0 and at most 1");
  }

  template <Executor E, class Real>
  requires MeasuringBackend<E, Real> && ScalarBackend<E, LossScaleStep>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context, options_); }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&) const {
    return plan.size() * sizeof(Measurement) + sizeof(GradientControl) + sizeof(LossScaleState);
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, LossScaleOptions options)
        : options_(options),
          executor_(context.executor),
          measurements_(context.executor, context.plan.size()),
          control_(context.executor, 1),
          state_(context.executor, 1) {
      apply_scalars(executor_, InitialiseLossScale{state_.data(), options.initial});
    }

    void prepare(DenseGradient<E, Real>& gradient) {
      Measurement* const measurement = measurements_.data() + gradient.bucket;
      if (!gradient.materialise({measurement})) {
        measure(gradient.executor, ViewOn<Real const, E>(gradient.values), measurement);
      }
      before_ = gradient.scale.control;
      held_ = true;
    }

    void decide(E const& point, StepInfo const&) {
      if (!std::exchange(held_, false)) return;
      apply_scalars(point, LossScaleStep{measurements_.data(), measurements_.size(), options_, state_.data(),
                                         before_, control_.data()});
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) const {
      gradient.scale.control = control_.data();
      return gradient;
    }

    /// What models multiply their loss by, in the executor's memory.
    double const* loss_scale() const { return &state_.data()->scale; }

    /// The scale of the next step, and how many were skipped. Blocks.
    LossScaleState state() const { return to_host(executor_, state_.view())[0]; }

    template <class Archive>
    void save(Archive& archive) const {
      LossScaleState const state = this->state();
      archive.put("loss_scale.scale", 0, state.scale);
      archive.put("loss_scale.finite_steps", 0, state.finite_steps);
      archive.put("loss_scale.skipped_steps", 0, state.skipped_steps);
    }
    template <class Archive>
    void check(Archive const& archive) const {
      (void)saved(archive);
    }
    template <class Archive>
    void load(Archive const& archive) {
      LossScaleState const state = saved(archive);
      from_host(executor_, std::span<LossScaleState const>(&state, 1), state_.view());
    }

   private:
    template <class Archive>
    static LossScaleState saved(Archive const& archive) {
      return {archive.template get_value<double>("loss_scale.scale", 0),
              archive.template get_value<std::uint64_t>("loss_scale.finite_steps", 0),
              archive.template get_value<std::uint64_t>("loss_scale.skipped_steps", 0)};
    }

    LossScaleOptions options_;
    E executor_;
    Buffer<Measurement, E> measurements_;
    Buffer<GradientControl, E> control_;
    Buffer<LossScaleState, E> state_;
    GradientControl const* before_ = nullptr;
    bool held_ = false;
  };

  LossScaleOptions options_;
};

}  // namespace weir::inline v1
