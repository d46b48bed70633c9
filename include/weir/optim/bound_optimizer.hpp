#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "weir/exec/host_copy.hpp"
#include "weir/exec/optimizer_state.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// An optimizer bound to a recipe: its moments per bucket, its scalars, and how a bucket is updated.
///
/// `Rule` has `moments()` names of vectors as long as the gradient, `beta1`, `beta2`, and
/// `update(executor, weights, gradient, moments, state, scale)` for a range of one bucket.
template <class Rule, Executor E, class Real>
class BoundOptimizer {
 public:
  BoundOptimizer(RecipeContext<E, Real> const& context, Rule rule, double learning_rate)
      : rule_(rule), executor_(context.executor), plan_(&context.plan), state_(context.executor, 1) {
    for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) {
      ranges_.push_back({context.weights.segments(context.plan, bucket),
                         context.weights.by_parameter(context.plan, bucket)});
      for (std::size_t moment = 0; moment < rule_.moments().size(); ++moment) {
        moments_.emplace_back(context.executor, context.plan[bucket].size);
      }
    }
    apply_scalars(executor_, InitialiseOptimizer{state_.data(), learning_rate});
    for (auto const& moment : moments_) set_zero(executor_, moment.view());
  }

  void begin_step(E const&, StepInfo const&) { is_new_step_ = true; }

  AppliedGradient<E> operator()(DenseGradient<E, Real> gradient) {
    gradient.materialise();
    if (std::exchange(is_new_step_, false)) {
      apply_scalars(gradient.executor,
                    AdvanceOptimizer{state_.data(), rule_.beta1(), rule_.beta2(), gradient.scale.control});
    }
    Ranges const& ranges = ranges_[gradient.bucket];
    if (gradient.used == nullptr) {
      for (auto const& segment : ranges.merged) update(gradient, segment);
    } else {
      auto const& parameters = (*plan_)[gradient.bucket].parameters;
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (gradient.used[parameters[i]] != 0) update(gradient, ranges.by_parameter[i]);
      }
    }
    return {gradient.executor, gradient.bucket, gradient.step};
  }

  void set_learning_rate(E const& executor, double rate) {
    apply_scalars(executor, SetLearningRate{state_.data(), rate});
  }

  /// The scalars after the last step that has passed. Blocks.
  OptimizerState state() const { return to_host(executor_, state_.view())[0]; }

  template <class Archive>
  void save(Archive& archive) const {
    OptimizerState const state = this->state();
    archive.put("optimizer.step", 0, state.step);
    archive.put("optimizer.learning_rate", 0, state.next_learning_rate);
    archive.put("optimizer.beta_powers", 0, std::vector<double>{state.beta1_power, state.beta2_power});
    each_moment([&](char const* name, std::size_t bucket, auto const& moment) {
      archive.put(name, bucket, to_host(executor_, moment.view()));
    });
  }

  template <class Archive>
  void check(Archive const& archive) const {
    (void)saved_state(archive);
    each_moment([&](char const* name, std::size_t bucket, auto const& moment) {
      (void)archive.template get<Real>(name, bucket, moment.size());
    });
  }

  template <class Archive>
  void load(Archive const& archive) {
    OptimizerState const state = saved_state(archive);
    from_host(executor_, std::span<OptimizerState const>(&state, 1), state_.view());
    each_moment([&](char const* name, std::size_t bucket, auto const& moment) {
      from_host(executor_, archive.template get<Real>(name, bucket), moment.view());
    });
  }

 private:
  struct Ranges {
    std::vector<WeightSegment<E, Real>> merged;
    std::vector<WeightSegment<E, Real>> by_parameter;
  };

  void update(DenseGradient<E, Real> const& gradient, WeightSegment<E, Real> const& segment) {
    std::size_t const size = segment.values.size();
    ViewOn<Real const, E> const values = gradient.values.part(segment.offset, size);
    std::size_t const first = gradient.bucket * rule_.moments().size();
    rule_.update(
        gradient.executor, segment.values, values,
        [&](std::size_t moment) { return moments_[first + moment].view().part(segment.offset, size); },
        state_.data(), gradient.scale);
  }

  template <class Function>
  void each_moment(Function const& f) const {
    auto const names = rule_.moments();
    for (std::size_t i = 0; i < moments_.size(); ++i)
      f(names[i % names.size()], i / names.size(), moments_[i]);
  }

  template <class Archive>
  static OptimizerState saved_state(Archive const& archive) {
    double const rate = archive.template get_value<double>("optimizer.learning_rate", 0);
    auto const powers = archive.template get<double>("optimizer.beta_powers", 0, 2);
    return {rate, rate, archive.template get_value<std::uint64_t>("optimizer.step", 0), powers[0], powers[1]};
  }

  Rule rule_;
  E executor_;
  BucketPlan const* plan_;
  Buffer<OptimizerState, E> state_;
  std::vector<Ranges> ranges_;            // by bucket
  std::vector<Buffer<Real, E>> moments_;  // by bucket and moment
  bool is_new_step_ = true;
};

}  // namespace weir::inline v1
