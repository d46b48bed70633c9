#pragma once

#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "weir/gradient/scale.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Sums the buckets of the k workers, ((g_0 + g_1) + g_2) + .., whatever order they finished in, and says by
/// what the sum is to be divided.
///
/// The sum is pending: the next stage takes it, together with work of its own. It lands in worker 0's bucket,
/// or, where that has 16 bits, in a 32-bit bucket of the aggregator's. Gradients that others have computed
/// are left out where they are of no samples. Cost: one fused pass over the k buckets; none for k = 1, unless
/// it has a weight. Source: [iidp]
template <ScalePolicy Scale = MeanOverSamples>
class LocalAggregator {
 public:
  using consumes = PerWorker;
  using produces = Dense;
  static constexpr char const* name = "aggregate";

  explicit LocalAggregator(Scale scale = {}, ScaleTime time = ScaleTime::automatic)
      : scale_(scale), time_(time) {}

  template <Executor E, class Real>
  requires SummingBackend<E, Real, Real>
  auto on(RecipeContext<E, Real> const& context) const { return Bound<E, Real>(context, scale_, time_); }

  /// What a checkpoint tells of it.
  std::string text() const {
    std::string text = name_of(time_);
    if constexpr (requires { Scale::name; }) text = Scale::name + (", " + text);
    return text;
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    std::size_t bytes = 0;
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
      if (is_summed_here<Real>(plan[bucket].type, layout)) bytes += plan[bucket].size * sizeof(Real);
    }
    return bytes;
  }

 private:
  /// 16-bit buckets that no accumulator has widened.
  template <class Real>
  static bool is_summed_here(ElementType type, WorkLayout const& layout) {
    return type != element_type_of<Real> && layout.micro_batches == 1;
  }

  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, Scale scale, ScaleTime time)
        : scale_(scale), time_(time), buckets_(make_buckets(context)) {}

    DenseGradient<E, Real> operator()(PerWorkerGradient<E, Real> const& gradient) {
      Bucket& bucket = buckets_[gradient.bucket];
      double const factor = scale_.factor(gradient.step);
      bool const before =
          time_ == ScaleTime::before_sum || (time_ == ScaleTime::automatic && bucket.is_narrow);
      GradientView<typename E::memory_space> const first = gradient.shares[0].values;
      DenseGradient<E, Real> sum{.executor = gradient.executor,
                                 .values = {},
                                 .bucket = gradient.bucket,
                                 .samples = gradient.samples,
                                 .step = gradient.step,
                                 .scale = {before ? 1.0 : factor, nullptr}};
      sum.values = first.type == element_type_of<Real> ? first.template as<Real>() : bucket.wide.view();
      visit_element(first.type, [&]<class Element>(Element*) {
        auto& terms = std::get<Terms<Element>>(bucket.terms);
        std::size_t count = 0;
        for (WorkerShare<E> const& share : gradient.shares) {
          if (share.is_mean && share.samples == 0) continue;  // a mean over nothing, often NaN
          terms[count++] = {share.values.template as<Element>(), weight_of(share) * (before ? factor : 1.0)};
        }
        sum.pending = {terms.data(), count, first.type};
      });
      if (sum.pending.count == 0) set_zero(sum.executor, sum.values);
      return sum;
    }

    auto prepare_resize(RecipeContext<E, Real> const& context) {
      return [this, buckets = make_buckets(context)]() mutable { buckets_ = std::move(buckets); };
    }

   private:
    template <class Element>
    using Terms = std::vector<WeightedTerm<Element, typename E::memory_space>>;

    struct Bucket {
      Buffer<Real, E> wide;
      bool is_narrow = false;
      std::tuple<Terms<half>, Terms<bfloat16>, Terms<float>, Terms<double>> terms =
          {};  // one of them is used
    };

    static double weight_of(WorkerShare<E> const& share) {
      bool const is_weighted = !share.is_mean || detail::takes_means_as_full<Scale>;
      return is_weighted ? share.weight : share.weight * static_cast<double>(share.samples);
    }

    static std::vector<Bucket> make_buckets(RecipeContext<E, Real> const& context) {
      std::vector<Bucket> buckets;
      for (std::size_t i = 0; i < context.plan.size(); ++i) {
        bool const is_narrow = context.plan[i].type != element_type_of<Real>;
        bool const summed_here = is_summed_here<Real>(context.plan[i].type, context.layout);
        buckets.push_back({.wide = Buffer<Real, E>(context.executor, summed_here ? context.plan[i].size : 0),
                           .is_narrow = is_narrow});
        visit_element(summed_here ? context.plan[i].type : element_type_of<Real>,
                      [&]<class Element>(Element*) {
                        std::get<Terms<Element>>(buckets.back().terms).resize(context.layout.workers);
                      });
      }
      return buckets;
    }

    Scale scale_;
    ScaleTime time_;
    std::vector<Bucket> buckets_;
  };

  Scale scale_;
  ScaleTime time_;
};

}  // namespace weir::inline v1
