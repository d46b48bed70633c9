#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Keeps the sum of each worker's odd micro-batches (by their index in the global batch), for
/// `MeasureSimilarity`, which has to come behind it. Stands before `GradAccumulator`, over a
/// `StreamWorkerPool`.
///
/// Cost: memory for one more gradient of each worker; in a step that is measured one pass per micro-batch.
/// Streams: runs on the worker's. Source: [qin2021]
class HalfSum {
 public:
  using consumes = PerWorker;
  using produces = PerWorker;
  static constexpr char const* name = "half sum";

  template <Executor E, class Real>
  requires SummingBackend<E, Real, Real>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context); }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    return layout.workers * plan.elements() * sizeof(Real);
  }

  template <Executor E, class Real>
  class Bound {
   public:
    explicit Bound(RecipeContext<E, Real> const& context)
        : buckets_(context.plan.size()), odd_(make_sums(context)) {}

    /// Says in which steps it is needed, in every `period`-th; before, in none.
    void keep_every(std::size_t period) { period_ = period; }

    /// What the odd micro-batches came to; of the stage that has the bucket of all workers.
    ViewOn<Real, E> odd_half(std::size_t worker, std::size_t bucket) const {
      return odd_[worker * buckets_ + bucket].view();
    }

    WorkerGradient<E> operator()(WorkerGradient<E> const& gradient) const {
      if (period_ != 0 && gradient.step.number % period_ == 0) {
        visit_element(gradient.values.type, [&]<class Element>(Element*) {
          if constexpr (SummingBackend<E, Element, Real>) add<Element>(gradient);
        });
      }
      return gradient;
    }

    auto prepare_resize(RecipeContext<E, Real> const& context) {
      return [this, sums = make_sums(context)]() mutable { odd_ = std::move(sums); };
    }

   private:
    static std::vector<Buffer<Real, E>> make_sums(RecipeContext<E, Real> const& context) {
      std::vector<Buffer<Real, E>> sums;
      for (std::size_t worker = 0; worker < context.layout.workers; ++worker) {
        for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket)
          sums.emplace_back(context.executor, context.plan[bucket].size);
      }
      return sums;
    }

    template <class Element>
    void add(WorkerGradient<E> const& gradient) const {
      StepInfo const& step = gradient.step;
      std::size_t const index =
          step.first_micro_batch + gradient.worker * step.micro_batches + gradient.micro_batch;
      bool const is_odd = index % 2 != 0;
      // Of gradients that are summed in place an odd one has those before it in it; those of 16 bits have
      // not.
      bool const is_in_next = sizeof(Element) > 2 && gradient.micro_batch + 1 < step.micro_batches;
      ViewOn<Real, E> const sum = odd_half(gradient.worker, gradient.bucket);
      if (gradient.micro_batch == 0) set_zero(gradient.executor, sum);
      if (is_odd || is_in_next) {
        add_scaled(gradient.executor, gradient.values.template as<Element>(), is_odd ? Real{1} : Real{-1},
                   sum);
      }
    }

    std::size_t buckets_;
    std::vector<Buffer<Real, E>> odd_;  // by worker and bucket
    std::size_t period_ = 0;
  };
};

}  // namespace weir::inline v1
