#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/core/check_option.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/exec/multi_tensor_backend.hpp"
#include "weir/exec/optimizer_state.hpp"
#include "weir/optim/update_lists.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// An optimizer bound to a recipe: its moments per bucket, its scalars, and how a bucket is updated.
///
/// `Rule` has `moments()` names of vectors as long as the gradient, `beta1`, `beta2`, and
/// `update(executor, weights, out, gradient, moments, state, scale)` for a range of one bucket. Where the
/// backend can, `update_pieces(executor, list, terms, moments, state, scale)` does a whole bucket in one
/// launch, with the pending sum of the gradient and, after `defer`, with copies of the weights.
template <class Rule, Executor E, class Real>
class BoundOptimizer {
  static constexpr bool is_fused = MultiTensorBackend<E, Real>;

 public:
  BoundOptimizer(RecipeContext<E, Real> const& context, Rule rule, double learning_rate)
      : rule_(rule),
        executor_(context.executor),
        plan_(&context.plan),
        state_(context.executor, 1),
        lists_(context) {
    for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) {
      if constexpr (!is_fused) {
        ranges_.push_back({context.weights.segments(context.plan, bucket),
                           context.weights.by_parameter(context.plan, bucket)});
      }
      for (std::size_t moment = 0; moment < rule_.moments().size(); ++moment) {
        moments_.emplace_back(context.executor, context.plan[bucket].size);
      }
    }
    lists_.fill(executor_);
    apply_scalars(executor_, InitialiseOptimizer{state_.data(), learning_rate});
    for (auto const& moment : moments_) set_zero(executor_, moment.view());
  }

  void begin_step(E const&, StepInfo const&) { is_new_step_ = true; }

  AppliedGradient<E> operator()(DenseGradient<E, Real> gradient) {
    if constexpr (is_fused) {
      advance(gradient);
      update_bucket(gradient, {});
    } else {
      gradient.materialise();
      advance(gradient);
      update_ranges(gradient);
    }
    return {gradient.executor, gradient.bucket, gradient.step};
  }

  /// The same, but the update is pending: it is enqueued by `materialise`, before the next call.
  AppliedGradient<E> defer(DenseGradient<E, Real> const& gradient) requires(is_fused) {
    advance(gradient);
    deferred_ = gradient;
    auto const enqueue = [](void* optimizer, WeightCopies const& copies) {
      auto& self = *static_cast<BoundOptimizer*>(optimizer);
      self.update_bucket(*std::exchange(self.deferred_, std::nullopt), copies);
      return copies.by_parameter != nullptr;
    };
    return {gradient.executor, gradient.bucket, gradient.step, {this, enqueue}};
  }

  /// Errors: `ContractViolation` for a rate that is negative or not finite, with the old one kept.
  void set_learning_rate(E const& executor, double rate) {
    detail::check_not_negative("set_learning_rate", "the rate", rate);
    apply_scalars(executor, SetLearningRate{state_.data(), rate});
  }

  /// The scalars after the last step that has passed. Blocks.
  OptimizerState state() const { return to_host(executor_, state_.view())[0]; }

  template <class Archive>
  void save(Archive& archive) const {
    OptimizerState const state = this->state();
    archive.put("optimizer.step", 0, state.step);
    archive.put("optimizer.learning_rate", 0, state.next_learning_rate);
    archive.put("optimizer.layout", 0, plan_->layout_hash());
    archive.put("optimizer.beta_powers", 0, std::vector<double>{state.beta1_power, state.beta2_power});
    each_moment([&](char const* name, std::size_t bucket, auto const& moment) {
      archive.put(name, bucket, to_host(executor_, moment.view()));
    });
  }

  template <class Archive>
  void check(Archive const& archive) const {
    (void)saved_state(archive);
    if (!moments_.empty() && archive.contains("optimizer.layout", 0) &&
        archive.template get_value<std::uint64_t>("optimizer.layout", 0) != plan_->layout_hash())
      throw ArchiveError("the optimizer keeps its moments by bucket, and the buckets differ");
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

  struct NoLists {
    explicit NoLists(RecipeContext<E, Real> const&) {}
    void fill(E const&) const {}
  };

  void advance(DenseGradient<E, Real> const& gradient) {
    if (!std::exchange(is_new_step_, false)) return;
    apply_scalars(gradient.executor,
                  AdvanceOptimizer{state_.data(), rule_.beta1(), rule_.beta2(), gradient.scale.control});
  }

  /// By `update`, range by range.
  void update_ranges(DenseGradient<E, Real> const& gradient) {
    Ranges const& ranges = ranges_[gradient.bucket];
    if (gradient.used == nullptr) {
      for (auto const& segment : ranges.merged) update_range(gradient, segment);
    } else {
      auto const& parameters = (*plan_)[gradient.bucket].parameters;
      for (std::size_t i = 0; i < parameters.size(); ++i) {
        if (gradient.used[parameters[i]] != 0) {
          update_range(gradient, ranges.by_parameter[i]);
        } else if (gradient.step.weights.moves()) {
          auto const [read, write] = shifted(ranges.by_parameter[i].values, gradient.step.weights);
          copy(gradient.executor, read, write);
        }
      }
    }
  }

  void update_range(DenseGradient<E, Real> const& gradient, WeightSegment<E, Real> const& segment) {
    std::size_t const size = segment.values.size();
    ViewOn<Real const, E> const values = gradient.values.part(segment.offset, size);
    auto const [read, write] = shifted(segment.values, gradient.step.weights);
    rule_.update(
        gradient.executor, read, write, values,
        [&](std::size_t moment) { return this->moment(gradient.bucket, moment).part(segment.offset, size); },
        state_.data(), gradient.scale);
  }

  static std::pair<ViewOn<Real const, E>, ViewOn<Real, E>> shifted(ViewOn<Real, E> weights,
                                                                   WeightShift shift) {
    return {{weights.data() + shift.read, weights.size()}, {weights.data() + shift.write, weights.size()}};
  }

  /// By `update_pieces`, with the sum of the terms if they are pending and few enough.
  void update_bucket(DenseGradient<E, Real> gradient, WeightCopies const& copies) {
    bool const is_summed = visit_element(gradient.pending.type, [&]<class Element>(Element*) {
      if constexpr (MultiTensorBackend<E, Real, Element>) {
        using Term = WeightedTerm<Element, typename E::memory_space>;
        std::size_t const count = gradient.pending.count;
        if (count == 0 || count > most_update_terms) return false;
        update_bucket(gradient, copies, std::span(static_cast<Term const*>(gradient.pending.terms), count));
        return true;
      } else {
        return false;
      }
    });
    if (is_summed) return;
    gradient.materialise();
    WeightedTerm<Real, typename E::memory_space> const whole{gradient.values};
    update_bucket(gradient, copies, std::span(&whole, 1));
  }

  template <class Term>
  void update_bucket(DenseGradient<E, Real> const& gradient, WeightCopies const& copies,
                     std::span<Term const> terms) {
    UpdateList<Real> list = lists_[gradient.bucket];
    list.used = gradient.used;
    list.copies = copies;
    list.shift = gradient.step.weights;
    rule_.update_pieces(
        gradient.executor, list, terms,
        [&](std::size_t moment) { return this->moment(gradient.bucket, moment); }, state_.data(),
        gradient.scale);
  }

  ViewOn<Real, E> moment(std::size_t bucket, std::size_t moment) const {
    return moments_[bucket * rule_.moments().size() + moment].view();
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
  std::vector<Ranges> ranges_;            // by bucket; none where updates are fused
  std::vector<Buffer<Real, E>> moments_;  // by bucket and moment
  [[no_unique_address]] std::conditional_t<is_fused, UpdateLists<E, Real>, NoLists> lists_;
  std::optional<DenseGradient<E, Real>> deferred_;
  bool is_new_step_ = true;
};

}  // namespace weir::inline v1
