#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/gradient/weighting.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// m micro-batches per worker and step; lets a bucket pass after the last one.
///
/// Gradients of the weights' own type are summed in place by the model itself: the first micro-batch
/// overwrites the bucket, later ones add to it. 16-bit gradients are summed in 32 bits. Cost: nothing for
/// gradients of the weights' type; for 16-bit ones with m > 1 a 32-bit copy per worker and one pass per
/// micro-batch. Streams: runs on the worker's stream. Errors: `ContractViolation` for m = 0, and what the
/// weighting refuses. Source: [iidp]
template <class Weighting = BySamples>
class GradAccumulator {
 public:
  using consumes = PerWorker;
  using produces = PerWorker;
  static constexpr char const* name = "accumulate";

  explicit GradAccumulator(std::size_t micro_batches, Weighting = {}) : micro_batches_(micro_batches) {
    check(micro_batches);
  }

  /// Read by the source, which runs so many micro-batches per worker.
  std::size_t micro_batches() const { return micro_batches_; }

  /// What a checkpoint tells of it.
  std::string text() const {
    if constexpr (requires { Weighting::name; }) return Weighting::name;
    return {};
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    std::size_t bytes = 0;
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
      if (is_wide<Real>(plan[bucket].type, micro_batches_)) bytes += plan[bucket].size * sizeof(Real);
    }
    return layout.workers * bytes;
  }

  template <Executor E, class Real>
  requires SummingBackend<E, Real, Real>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context, micro_batches_); }

 private:
  /// Whether the sum over micro-batches needs a wider type than the gradient has.
  template <class Real>
  static bool is_wide(ElementType type, std::size_t micro_batches) {
    return type != element_type_of<Real> && micro_batches > 1;
  }

  static void check(std::size_t micro_batches) {
    if (micro_batches == 0) throw ContractViolation("GradAccumulator: 0 micro-batches, at least 1 is needed");
  }

  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, std::size_t micro_batches)
        : micro_batches_(micro_batches),
          buckets_(context.plan.size()),
          sums_(make_sums(context, micro_batches)) {}

    std::optional<WorkerGradient<E>> operator()(WorkerGradient<E> gradient) {
      Weighting::check(
          gradient.step.first_micro_batch + gradient.worker * micro_batches_ + gradient.micro_batch,
          gradient.samples, gradient.step.local_batch);
      Sum& sum = sums_[gradient.worker * buckets_ + gradient.bucket];
      sum.samples = gradient.micro_batch == 0 ? gradient.samples : sum.samples + gradient.samples;
      if (sum.is_wide) add(gradient, sum.wide.view());
      if (gradient.micro_batch + 1 != micro_batches_) return std::nullopt;
      gradient.samples = sum.samples;
      if (sum.is_wide) gradient.values = sum.wide.view();
      return gradient;
    }

    auto prepare_resize(RecipeContext<E, Real> const& context) {
      std::size_t const micro_batches = context.layout.micro_batches;
      check(micro_batches);
      return [this, micro_batches, sums = make_sums(context, micro_batches)]() mutable {
        micro_batches_ = micro_batches;
        sums_ = std::move(sums);
      };
    }

   private:
    struct alignas(64) Sum {
      Buffer<Real, E> wide;
      bool is_wide = false;  // also where the bucket is empty
      std::size_t samples = 0;
    };

    static std::vector<Sum> make_sums(RecipeContext<E, Real> const& context, std::size_t micro_batches) {
      std::vector<Sum> sums;
      for (std::size_t worker = 0; worker < context.layout.workers; ++worker) {
        for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) {
          bool const wide = is_wide<Real>(context.plan[bucket].type, micro_batches);
          sums.push_back({Buffer<Real, E>(context.executor, wide ? context.plan[bucket].size : 0), wide});
        }
      }
      return sums;
    }

    static void add(WorkerGradient<E> const& gradient, ViewOn<Real, E> sum) {
      visit_element(gradient.values.type, [&]<class Element>(Element*) {
        if constexpr (SummingBackend<E, Element, Real> && sizeof(Element) == 2) {
          ViewOn<Element const, E> const values = gradient.values.template as<Element>();
          if (gradient.micro_batch == 0) {
            copy(gradient.executor, values, sum);
          } else {
            add_scaled(gradient.executor, values, Real{1}, sum);
          }
        }
      });
    }

    std::size_t micro_batches_;
    std::size_t buckets_;
    std::vector<Sum> sums_;  // by worker and bucket; each is touched by that worker only
  };

  std::size_t micro_batches_;
};

}  // namespace weir::inline v1
