#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/local_clip_step.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Whose norm a rank's gradient is clipped by.
enum class LocalNorm : std::uint8_t {
  own,       // its own: nothing is exchanged
  of_ranks,  // the root of the mean over the ranks of the squared norm: all ranks clip alike
};

struct LocalClipOptions {
  double max_norm = 1.0;  // c, of the sum over the ranks
  LocalNorm norm = LocalNorm::own;
  bool per_bucket = false;  // each bucket on its own, which is another gradient but waits for nothing
};

/// Multiplies this rank's contribution by min(1, c / (sqrt(ranks) * norm)), so that the sum over the ranks
/// has about the norm c at most. For gradients that are remembered before they are summed: what is clipped
/// after the sum has been in the residuals for many steps.
///
/// Belongs before the stage that accumulates. Elements that are not finite do not count. Cost: one pass that
/// measures; the global norm needs all buckets. Errors: `ContractViolation` unless max_norm is above zero.
/// Source: [lin2018]
template <class Communicator>
class LocalClip {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "local clip";
  static constexpr bool needs_all_buckets = true;
  static constexpr bool scales_gradient = true;
  static constexpr bool needs_unscaled_gradients = true;

  LocalClip(Communicator communicator, LocalClipOptions options)
      : communicator_(std::move(communicator)), options_(options) {
    if (!(options.max_norm > 0.0))
      throw ContractViolation("LocalClip: max_norm is " + std::to_string(options.max_norm) +
                              ", it has to be above 0");
  }

  template <Executor E, class Real>
  requires MeasuringBackend<E, Real> && ReducingCommunicator<Communicator, E, double> &&
      ScalarBackend<E, LocalNormStep> && ScalarBackend<E, LocalClipStep>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, communicator_, options_);
  }

  /// Of all parameters at once; the parts of a pipeline do not have it.
  bool needs_whole_gradient() const { return !options_.per_bucket; }

  /// What a checkpoint tells of it.
  std::string text() const {
    std::string text = "norm " + std::to_string(options_.max_norm);
    if (options_.norm == LocalNorm::of_ranks) text += " of all ranks";
    return text + (options_.per_bucket ? " per bucket" : "");
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&) const {
    return plan.size() * (sizeof(Measurement) + sizeof(GradientControl) + 2 * sizeof(double));
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, Communicator const& communicator, LocalClipOptions options)
        : communicator_(communicator),
          options_(options),
          executor_(context.executor),
          measurements_(context.executor, context.plan.size()),
          controls_(context.executor, context.plan.size()),
          sums_(context.executor, context.plan.size()),
          norms_(context.executor, context.plan.size()) {
      communicator_.reserve(context.executor, sizeof(double));
    }

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
      if (std::exchange(held_, false)) clip(point, 0, measurements_.size());
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      std::size_t const slot = options_.per_bucket ? gradient.bucket : 0;
      if (options_.per_bucket) {
        prepare(gradient);
        clip(gradient.executor, slot, 1);
      }
      gradient.scale.control = controls_.data() + slot;
      return gradient;
    }

    /// The norm that was clipped by, in the last step that has passed; of the given bucket where each is
    /// clipped on its own. Blocks.
    double norm(std::size_t bucket = 0) const { return to_host(executor_, norms_.view())[bucket]; }

    void watch() requires(CheckableCommunicator<Communicator>) { communicator_.check(); }
    void abort() noexcept { communicator_.abort(); }

   private:
    void clip(E const& point, std::size_t slot, std::size_t count) {
      double const ranks = static_cast<double>(communicator_.size());
      bool const is_of_ranks = options_.norm == LocalNorm::of_ranks;
      apply_scalars(point, LocalNormStep{measurements_.data() + slot, count, scale_, sums_.data() + slot});
      if (is_of_ranks) communicator_.all_reduce(point, sums_.view().part(slot, 1));
      apply_scalars(point, LocalClipStep{sums_.data() + slot, is_of_ranks ? ranks : 1.0,
                                         options_.max_norm / __builtin_sqrt(ranks), scale_.control,
                                         controls_.data() + slot, norms_.data() + slot});
    }

    Communicator communicator_;
    LocalClipOptions options_;
    E executor_;
    Buffer<Measurement, E> measurements_;
    Buffer<GradientControl, E> controls_;
    Buffer<double, E> sums_;
    Buffer<double, E> norms_;
    GradientScale scale_;
    bool held_ = false;
  };

  Communicator communicator_;
  LocalClipOptions options_;
};

}  // namespace weir::inline v1
