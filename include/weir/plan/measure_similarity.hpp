#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/sum_of_squares.hpp"
#include "weir/plan/gradient_similarity.hpp"
#include "weir/plan/half_sum.hpp"
#include "weir/stage/bound_stage.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Takes the place of the collective that it is given, `MeasureSimilarity{AllReduce{comm}, comm}`, and
/// measures how much two halves of a step's gradient resemble each other: that of the odd micro-batches,
/// which a `HalfSum` at the front of the recipe keeps, and the rest of the whole. Stands right behind
/// `LocalAggregator`, over a `StreamWorkerPool`.
///
/// Every `period` steps. The replays of a captured step measure if the step did. Cost, in such a step: one
/// pass over each worker's half, a collective of their sum, and four passes over it and the whole.
/// Errors: `ContractViolation` for a period of 0, where no `HalfSum` is bound, and where the sum over workers
/// has been taken already. Source: [qin2021]
template <GradientStage Collective, class Communicator>
class MeasureSimilarity {
 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "all-reduce and measure similarity";

  MeasureSimilarity(Collective collective, Communicator communicator, std::size_t period = 100)
      : collective_(std::move(collective)), communicator_(std::move(communicator)), period_(period) {
    if (period == 0) throw ContractViolation("MeasureSimilarity: a period of 0 steps, at least 1 is needed");
  }

  template <Executor E, class Real>
  requires BindsToRecipe<Collective, E, Real> && SummingBackend<E, Real, Real> && MeasuringBackend<E, Real> &&
      ScalarBackend<E, SumOfSquares> && TransferringBackend<E> && ReducingCommunicator<Communicator, E, Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real, decltype(collective_.on(context))>(context, collective_, communicator_, period_);
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    return collective_.template workspace_bytes<Real>(plan, layout) +
           parts * (plan.size() * sizeof(Measurement) + sizeof(double));
  }

 private:
  enum Part : std::size_t { whole, odd, even, parts };

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
          workers_(context.layout.workers),
          halves_(buckets_ * workers_),
          measured_(context.executor, parts * buckets_),
          sums_(context.executor, parts) {
      std::size_t largest = 0;
      for (std::size_t bucket = 0; bucket < buckets_; ++bucket)
        if (largest < context.plan[bucket].size) largest = context.plan[bucket].size;
      communicator_.reserve(context.executor, largest * sizeof(Real));
    }

    template <class Chain>
    void link(Chain& chain) {
      if constexpr (requires { Inner::link(chain); }) Inner::link(chain);
      chain.for_each([this](auto& object) {
        if constexpr (std::same_as<std::remove_reference_t<decltype(object)>, HalfSum::Bound<E, Real>>)
          half_sum_ = &object;
      });
      if (half_sum_ == nullptr)
        throw ContractViolation("MeasureSimilarity: the recipe has no HalfSum, which belongs at its front");
      half_sum_->keep_every(period_);
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> const& gradient) {
      if (!is_due(gradient.step)) return Inner::operator()(gradient);
      ViewOn<Real, E> const half = sum_halves(gradient);
      DenseGradient<E, Real> const sum = Inner::operator()(gradient);
      communicator_.all_reduce(sum.executor, half);
      Measurement* const found = measured_.data() + sum.bucket;  // by part, then by bucket
      measure(sum.executor, ViewOn<Real const, E>(sum.values), found + whole * buckets_);
      measure(sum.executor, ViewOn<Real const, E>(half), found + odd * buckets_);
      add_scaled(sum.executor, ViewOn<Real const, E>(sum.values), Real{-1}, half);
      measure(sum.executor, ViewOn<Real const, E>(half), found + even * buckets_);
      return sum;
    }

    void end_step(E const& point, StepInfo const& step) {
      if constexpr (requires { Inner::end_step(point, step); }) Inner::end_step(point, step);
      if (!is_due(step)) return;
      for (std::size_t part = 0; part < parts; ++part)
        apply_scalars(point,
                      SumOfSquares{measured_.data() + part * buckets_, buckets_, {}, sums_.data() + part});
      found_.store(is_being_captured(point) ? Found::by_each_replay : Found::once, std::memory_order_release);
    }

    /// The cosine of the halves of the last step that was measured; nothing if there is none since the last
    /// call or since a resize, or if a half is zero. The same on all ranks. Blocks; between steps.
    std::optional<double> similarity() {
      Found const found = found_.load(std::memory_order_acquire);
      if (found == Found::none) return {};
      if (found == Found::once) found_.store(Found::none, std::memory_order_release);
      std::vector<double> const squares = to_host(executor_, sums_.view());
      GradientSimilarity result;
      // |even + odd|^2 = |even|^2 + 2 even odd + |odd|^2
      result.add(squares[even], squares[odd], (squares[whole] - squares[even] - squares[odd]) / 2);
      return result.cosine();
    }

    auto prepare_resize(RecipeContext<E, Real> const& context) {
      auto inner = detail::prepare_resize_of(static_cast<Inner&>(*this), context);
      return [this, workers = context.layout.workers, inner = std::move(inner),
              halves = std::vector<Half>(buckets_ * context.layout.workers)]() mutable {
        inner();
        workers_ = workers;
        halves_ = std::move(halves);
        found_.store(Found::none, std::memory_order_release);
      };
    }

   private:
    using Half = WeightedTerm<Real, typename E::memory_space>;
    enum class Found : std::uint8_t { none, once, by_each_replay };

    bool is_due(StepInfo const& step) const { return step.number % period_ == 0; }

    /// Weighted as the workers' gradients are. In the place of worker 0's.
    ViewOn<Real, E> sum_halves(DenseGradient<E, Real> const& gradient) {
      if (gradient.pending.count != workers_)
        throw ContractViolation(
            "MeasureSimilarity: the workers' gradients have been summed; it belongs right behind "
            "LocalAggregator");
      std::span<Half> const halves(halves_.data() + gradient.bucket * workers_, workers_);
      visit_element(gradient.pending.type, [&]<class Element>(Element*) {
        using Term = WeightedTerm<Element, typename E::memory_space>;
        auto const* const terms = static_cast<Term const*>(gradient.pending.terms);
        for (std::size_t worker = 0; worker < workers_; ++worker)
          halves[worker] = {half_sum_->odd_half(worker, gradient.bucket), terms[worker].weight};
      });
      ViewOn<Real, E> const sum = half_sum_->odd_half(0, gradient.bucket);
      sum_weighted(gradient.executor, std::span<Half const>(halves), sum, {});
      return sum;
    }

    Communicator communicator_;
    E executor_;
    std::size_t period_;
    std::size_t buckets_;
    std::size_t workers_;
    std::vector<Half> halves_;  // by bucket and worker
    Buffer<Measurement, E> measured_;
    Buffer<double, E> sums_;  // by part, over all buckets
    HalfSum::Bound<E, Real>* half_sum_ = nullptr;
    std::atomic<Found> found_ = Found::none;
  };

  Collective collective_;
  Communicator communicator_;
  std::size_t period_;
};

}  // namespace weir::inline v1
