#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "weir/compress/bound_sparsifier.hpp"
#include "weir/compress/decompress.hpp"
#include "weir/compress/fixed_stages.hpp"
#include "weir/compress/on_non_finite.hpp"
#include "weir/compress/sparsifier_memory.hpp"
#include "weir/compress/sparsifier_settings.hpp"
#include "weir/compress/threshold/histogram.hpp"
#include "weir/compress/threshold_sparsifier_options.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/threshold_policy.hpp"
#include "weir/stage/concepts.hpp"

namespace weir::inline v1 {

/// Selects the largest elements of each bucket's gradient: those above a threshold that the policy finds.
///
/// Alone it drops the rest; `ErrorFeedback{ThresholdSparsifier{..}}` keeps it for later steps. Belongs behind
/// the local sum and before the all-reduce, which sums what the ranks have selected; where there is none, the
/// next stage is given the selected elements as a dense gradient.
///
/// Cost: about one pass over the bucket; `capacity` pairs per bucket, and one scratch memory for all.
/// Streams: enqueues; can be captured, with the density of the captured step. Errors: `ContractViolation` for
/// options that are out of range, and for a bucket of 2^31 elements or more; `NonFiniteGradient` where the
/// policy says so. Source: [abdelmoniem2021]; the histogram, guarded selection and the memory rule are ours.
template <class Threshold = Histogram, class Stages = FixedStages<1>,
          NonFinitePolicy non_finite = NonFinitePolicy::skip>
class ThresholdSparsifier {
  static_assert(ThresholdPolicy<Threshold>,
                "this is no threshold policy: a trivially copyable struct with a name and a function "
                "fit(tail, ratio), or another one of exec/threshold_policy.hpp");
  static_assert(
      StagedThreshold<Threshold> || Stages::most == 1,
      "this threshold policy cannot be fitted in stages: leave the stages away, or take one that has "
      "fit_excess");

 public:
  using consumes = Dense;
  using produces = Sparse;
  static constexpr char const* name = "sparsify";
  static constexpr bool needs_unscaled_gradients = true;
  static constexpr bool selects_for_itself = true;  // without other ranks, of what it is given and has kept
  static constexpr NonFinitePolicy on_non_finite = non_finite;
  static constexpr bool is_fitted_once = FittedThreshold<Threshold> && Stages::most == 1;
  static constexpr bool counts_magnitudes = RankedThreshold<Threshold>;

  explicit ThresholdSparsifier(ThresholdSparsifierOptions options, Threshold const& threshold = {},
                               Stages const& stages = {}, OnNonFinite<non_finite> = {})
      : threshold_(threshold), stages_(stages) {
    options.check();
    settings_.options = std::move(options);
    settings_.stages = stages.constants();
    settings_.non_finite = non_finite;
    settings_.selects_everything = SelectsEverything<Threshold>;
  }

  /// The same with a memory of what was not sent. Errors: `ContractViolation` for a policy that multiplies
  /// what it sends: that and what is kept would not be what there was.
  ThresholdSparsifier remembering(SparsifierMemory const& memory) const {
    if constexpr (RandomSlots<Threshold>) {
      if (memory.is_kept() && threshold_.factor(2, 1) != 1.0)
        throw ContractViolation(
            std::string("ThresholdSparsifier: ") + Threshold::name +
            " multiplies the values that it sends, so with what is kept they would not add up to what there "
            "was: give ErrorFeedback and the like a RandomK whose is_unbiased is false, or leave them away");
    }
    ThresholdSparsifier stage = *this;
    stage.settings_.memory = memory;
    return stage;
  }

  template <Executor E, class Real>
  requires SparsifierBackend<E, Threshold, Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return BoundSparsifier<Threshold, E, Real>(context, settings_, threshold_,
                                               text() + settings_.memory.text());
  }

  /// The same with a threshold that ranks share.
  template <Executor E, class Real, class Exchange>
  requires SparsifierBackend<E, Threshold, Real>
  auto on(RecipeContext<E, Real> const& context, Exchange exchange) const {
    return BoundSparsifier<Threshold, E, Real, Exchange>(
        context, settings_, threshold_, text() + ", shared" + settings_.memory.text(), std::move(exchange));
  }

  /// Whether it keeps a threshold for several steps.
  bool reuses_threshold() const { return settings_.options.reuse.interval != 0; }

  /// Whether its density comes down in the first epochs.
  bool has_warmup() const {
    return settings_.options.warmup.epochs != 0 || !settings_.options.warmup.densities.empty();
  }

  /// By bucket, how many pairs it gives at most.
  std::vector<std::size_t> sparse_capacity(BucketPlan const& plan) const {
    std::vector<std::size_t> capacity;
    settings_.check(plan);
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket)
      capacity.push_back(settings_.capacity(plan, bucket));
    return capacity;
  }

  /// What a checkpoint tells of it.
  std::string text() const {
    std::string text = Threshold::name;
    if constexpr (requires { threshold_.text(); }) text = threshold_.text();
    if constexpr (StagedThreshold<Threshold>) text += ", " + stages_.text();
    text += ", " + settings_.options.text();
    if constexpr (non_finite == NonFinitePolicy::propagate) text += ", propagates what is not finite";
    if constexpr (non_finite == NonFinitePolicy::error) text += ", fails at what is not finite";
    return text;
  }

  /// What it allocates when it is bound, besides the scratch memory of the backend. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const&) const {
    std::size_t bytes = sizeof(StepClock) + 2 * plan.size() * sizeof(ThresholdState);
    for (std::size_t bucket = 0; bucket < plan.size(); ++bucket)
      bytes += settings_.template workspace_bytes<Real>(plan, bucket);
    return bytes;
  }

 private:
  Threshold threshold_;
  Stages stages_;
  SparsifierSettings settings_;
};

}  // namespace weir::inline v1
