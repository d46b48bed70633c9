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
#include "weir/plan/gradient_similarity.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Keeps the sums of a step's even and of its odd micro-batches apart, for `GradientSimilarity`. Stands
/// before `GradAccumulator`, over a `StreamWorkerPool`.
///
/// Every `period` steps. Cost: twice the gradients of each worker; in a step that is measured two passes per
/// micro-batch, and in `similarity` two collectives of the gradient's size. Streams: runs on the worker's.
/// Errors: `ContractViolation` for a period of 0. Source: [qin2021]
template <class Communicator>
class MeasureSimilarity {
 public:
  using consumes = PerWorker;
  using produces = PerWorker;
  static constexpr char const* name = "measure similarity";

  explicit MeasureSimilarity(Communicator communicator, std::size_t period = 100)
      : communicator_(std::move(communicator)), period_(period) {
    if (period == 0) throw ContractViolation("MeasureSimilarity: a period of 0 steps, at least 1 is needed");
  }

  template <Executor E, class Real>
  requires SummingBackend<E, Real, Real> && TransferringBackend<E> &&
      ReducingCommunicator<Communicator, E, Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, communicator_, period_);
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    return 2 * layout.workers * plan.elements() * sizeof(Real);
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, Communicator const& communicator, std::size_t period)
        : communicator_(communicator),
          executor_(context.executor),
          period_(period),
          buckets_(context.plan.size()),
          halves_(make_halves(context)) {
      std::size_t largest = 0;
      for (std::size_t bucket = 0; bucket < buckets_; ++bucket)
        if (largest < context.plan[bucket].size) largest = context.plan[bucket].size;
      communicator_.reserve(executor_, largest * sizeof(Real));
    }

    WorkerGradient<E> operator()(WorkerGradient<E> const& gradient) {
      if (gradient.step.number % period_ == 0) {
        visit_element(gradient.values.type, [&]<class Element>(Element*) {
          if constexpr (SummingBackend<E, Element, Real>) add<Element>(gradient);
        });
      }
      return gradient;
    }

    void end_step(E const&, StepInfo const& step) {
      if (step.number % period_ == 0) has_measured_.store(true, std::memory_order_release);
    }

    /// The cosine of the halves of the last step that was measured; nothing if it has been asked for already,
    /// if there is none, or if a half is zero. All ranks call it, between steps, and get the same. Blocks.
    std::optional<double> similarity() {
      if (!has_measured_.exchange(false, std::memory_order_acq_rel)) return {};
      GradientSimilarity result;
      for (std::size_t bucket = 0; bucket < buckets_; ++bucket) {
        std::vector<Real> const even = sum(bucket, 0);
        std::vector<Real> const odd = sum(bucket, 1);
        result.add(std::span<Real const>(even), std::span<Real const>(odd));
      }
      return result.cosine();
    }

    auto prepare_resize(RecipeContext<E, Real> const& context) {
      return [this, halves = make_halves(context)]() mutable {
        halves_ = std::move(halves);
        has_measured_.store(false, std::memory_order_release);
      };
    }

   private:
    static std::vector<Buffer<Real, E>> make_halves(RecipeContext<E, Real> const& context) {
      std::vector<Buffer<Real, E>> halves;
      for (std::size_t worker = 0; worker < context.layout.workers; ++worker) {
        for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) {
          for (int half = 0; half < 2; ++half)
            halves.emplace_back(context.executor, context.plan[bucket].size);
        }
      }
      return halves;
    }

    ViewOn<Real, E> half(std::size_t worker, std::size_t bucket, std::size_t parity) const {
      return halves_[2 * (worker * buckets_ + bucket) + parity].view();
    }

    template <class Element>
    void add(WorkerGradient<E> const& gradient) const {
      StepInfo const& step = gradient.step;
      std::size_t const index =
          step.first_micro_batch + gradient.worker * step.micro_batches + gradient.micro_batch;
      ViewOn<Real, E> const own = half(gradient.worker, gradient.bucket, index % 2);
      ViewOn<Real, E> const other = half(gradient.worker, gradient.bucket, 1 - index % 2);
      if (gradient.micro_batch == 0) {
        set_zero(gradient.executor, own);
        set_zero(gradient.executor, other);
      }
      ViewOn<Element const, E> const values = gradient.values.template as<Element>();
      add_scaled(gradient.executor, values, Real{1}, own);
      // Of gradients that are summed in place the next one has this one in it; those of 16 bits are not.
      bool const stays = sizeof(Element) > 2 && gradient.micro_batch + 1 < step.micro_batches;
      if (stays) add_scaled(gradient.executor, values, Real{-1}, other);
    }

    /// Over all workers and ranks.
    std::vector<Real> sum(std::size_t bucket, std::size_t parity) const {
      ViewOn<Real, E> const total = half(0, bucket, parity);
      std::size_t const workers = halves_.size() / (2 * buckets_);
      for (std::size_t worker = 1; worker < workers; ++worker)
        add_scaled(executor_, ViewOn<Real const, E>(half(worker, bucket, parity)), Real{1}, total);
      communicator_.all_reduce(executor_, total);
      return to_host(executor_, total);
    }

    Communicator communicator_;
    E executor_;
    std::size_t period_;
    std::size_t buckets_;
    std::vector<Buffer<Real, E>> halves_;  // by worker, bucket and parity
    std::atomic<bool> has_measured_ = false;
  };

  Communicator communicator_;
  std::size_t period_;
};

}  // namespace weir::inline v1
