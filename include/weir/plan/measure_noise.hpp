#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/sum_of_squares.hpp"
#include "weir/plan/noise_scale.hpp"
#include "weir/stage/bound_stage.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Takes the place of the collective that it is given, `MeasureNoise{AllReduce{comm}, comm}`, and measures
/// the norms that the gradient noise scale follows from: of the mean gradient of each worker before it and of
/// the whole after it. Stands right behind `LocalAggregator`, over a `StreamWorkerPool`.
///
/// Every `period` steps; a step with micro-batches that are not full is left out. The replays of a captured
/// step measure if the step did. Cost, in such a step: one
/// pass over each worker's gradient and one over their sum, and a collective of one number.
/// Errors: `ContractViolation` for a period of 0, and where the sum over workers has been taken already.
/// Source: [mccandlish2018]
template <GradientStage Collective, class Communicator>
class MeasureNoise {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "all-reduce and measure noise";

  MeasureNoise(Collective collective, Communicator communicator, std::size_t period = 1)
      : collective_(std::move(collective)), communicator_(std::move(communicator)), period_(period) {
    if (period == 0) throw ContractViolation("MeasureNoise: a period of 0 steps, at least 1 is needed");
  }

  template <Executor E, class Real>
  requires BindsToRecipe<Collective, E, Real> && MeasuringBackend<E, Real> &&
      ScalarBackend<E, SumOfSquares> && TransferringBackend<E> &&
      ReducingCommunicator<Communicator, E, double>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real, decltype(collective_.on(context))>(context, collective_, communicator_, period_);
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    return collective_.template workspace_bytes<Real>(plan, layout) +
           (layout.workers + 1) * plan.size() * sizeof(Measurement) + sums * sizeof(double);
  }

 private:
  static constexpr std::size_t sums = 2;

  /// All that the recipe asks of the collective, such as the exchange of layouts, is inherited.
  template <Executor E, class Real, class Inner>
  class Bound : public Inner {
   public:
    Bound(RecipeContext<E, Real> const& context, Collective const& collective,
          Communicator const& communicator, std::size_t period)
        : Inner(collective.on(context)),
          communicator_(communicator),
          executor_(context.executor),
          period_(period),
          buckets_(context.plan.size()),
          layout_(context.layout),
          of_workers_(context.executor, buckets_ * context.layout.workers),
          of_mean_(context.executor, buckets_),
          sums_(context.executor, sums) {
      communicator_.reserve(context.executor, sums * sizeof(double));
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> gradient) {
      StepInfo const& step = gradient.step;
      bool const is_measured = is_due(step);
      if (is_measured) measure_workers(gradient);
      DenseGradient<E, Real> const mean = Inner::operator()(gradient);
      if (is_measured) {
        measure(mean.executor, ViewOn<Real const, E>(mean.values), of_mean_.data() + mean.bucket);
        scale_ = mean.scale;
      }
      return mean;
    }

    void end_step(E const& point, StepInfo const& step) {
      if constexpr (requires { Inner::end_step(point, step); }) Inner::end_step(point, step);
      if (!is_due(step)) return;
      double const of_one = 1 / static_cast<double>(step.micro_batches);
      apply_scalars(point, SumOfSquares{of_workers_.data(), of_workers_.size(), {of_one}, sums_.data()});
      apply_scalars(point, SumOfSquares{of_mean_.data(), of_mean_.size(), scale_, sums_.data() + 1});
      communicator_.all_reduce(point, sums_.view().part(0, 1));
      has_measured_.store(true, std::memory_order_release);
    }

    /// Of the last step that was measured; for `NoiseScale::add`. Nothing before, or after a resize. The same
    /// on all ranks. Blocks; between steps.
    std::optional<NoiseMeasurement> measurement() const {
      if (!has_measured_.load(std::memory_order_acquire)) return {};
      std::vector<double> const found = to_host(executor_, sums_.view());
      NoiseMeasurement result{.square_of_mean = found[1]};
      double inverse_batches = 0;
      for (WorkLayout const& rank : this->rank_layout().ranks) {
        std::size_t const samples = rank.micro_batches * rank.local_batch;
        result.workers += rank.workers;
        result.global_batch += rank.workers * samples;
        inverse_batches += static_cast<double>(rank.workers) / static_cast<double>(samples);
      }
      double const workers = static_cast<double>(result.workers);
      result.mean_square = found[0] / workers;
      result.mean_inverse_batch = inverse_batches / workers;
      return result;
    }

    auto prepare_resize(RecipeContext<E, Real> const& context) {
      auto inner = detail::prepare_resize_of(static_cast<Inner&>(*this), context);
      return
          [this, layout = context.layout, inner = std::move(inner),
           measured = Buffer<Measurement, E>(context.executor, buckets_ * context.layout.workers)]() mutable {
            inner();
            layout_ = layout;
            of_workers_ = std::move(measured);
            has_measured_.store(false, std::memory_order_release);
          };
    }

   private:
    bool is_due(StepInfo const& step) const {
      return step.number % period_ == 0 && step.samples == step.total_micro_batches * step.local_batch;
    }

    void measure_workers(DenseGradient<E, Real> const& gradient) {
      if (gradient.pending.count != layout_.workers)
        throw ContractViolation(
            "MeasureNoise: the workers' gradients have been summed; it belongs right behind LocalAggregator");
      visit_element(gradient.pending.type, [&]<class Element>(Element*) {
        using Term = WeightedTerm<Element, typename E::memory_space>;
        if constexpr (MeasuringBackend<E, Element>) {
          auto const* const terms = static_cast<Term const*>(gradient.pending.terms);
          for (std::size_t worker = 0; worker < layout_.workers; ++worker)
            measure(gradient.executor, terms[worker].values,
                    of_workers_.data() + worker * buckets_ + gradient.bucket);
        } else {
          throw ContractViolation(std::string("MeasureNoise: this backend cannot measure gradients of ") +
                                  name_of(gradient.pending.type));
        }
      });
    }

    Communicator communicator_;
    E executor_;
    std::size_t period_;
    std::size_t buckets_;
    WorkLayout layout_;
    Buffer<Measurement, E> of_workers_;  // by worker and bucket
    Buffer<Measurement, E> of_mean_;     // by bucket
    Buffer<double, E> sums_;             // of |G_w|^2 over all workers, and |G|^2
    GradientScale scale_;
    std::atomic<bool> has_measured_ = false;
  };

  Collective collective_;
  Communicator communicator_;
  std::size_t period_;
};

}  // namespace weir::inline v1
