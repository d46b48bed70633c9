#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/stage/concepts.hpp"
#include "weir/stage/weight_policy.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Keeps the weights of the workers of a device together: takes the place of the optimizer that it is given.
///
/// All policies give the same bits. Worker 0 reads the caller's weights, the others theirs through
/// `Micro::weights`. Cost: shared nothing; else k-1 copies of the weights, and writing them once a step,
/// under `overlap` on a stream of its own. Source: [iidp]; `shared` is ours.
template <GradientStage Optimizer>
class WeightSync {
 public:
  using consumes = Dense;
  using produces = Applied;
  static constexpr char const* name = "update";
  static constexpr bool needs_all_buckets = true;
  static constexpr bool has_learning_rate = true;

  WeightSync(WeightPolicy policy, Optimizer optimizer) : policy_(policy), optimizer_(std::move(optimizer)) {}

  template <Executor E, class Real>
  requires BindsToRecipe<Optimizer, E, Real> && CopyingBackend<E, Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, policy_, optimizer_);
  }

  /// What a checkpoint tells of it.
  std::string text() const {
    std::string text = name_of(policy_);
    if constexpr (requires { Optimizer::name; }) text += std::string(", ") + Optimizer::name;
    if constexpr (requires { optimizer_.text(); }) text += ", " + optimizer_.text();
    return text;
  }

  /// What it allocates when it is bound. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    std::size_t const copies = policy_ == WeightPolicy::shared ? 0 : layout.workers - 1;
    return optimizer_.template workspace_bytes<Real>(plan, layout) + copies * plan.elements() * sizeof(Real);
  }

 private:
  template <Executor E, class Real>
  class Bound {
   public:
    Bound(RecipeContext<E, Real> const& context, WeightPolicy policy, Optimizer const& optimizer)
        : policy_(policy),
          plan_(&context.plan),
          weights_(&context.weights),
          offsets_(offsets_of(context.weights)),
          copies_(make_copies(context)),
          copier_(policy == WeightPolicy::overlap ? std::optional<Copier>(context.executor) : std::nullopt),
          optimizer_(optimizer.on(context)) {
      refresh(context.executor);
    }

    bool holds() const { return policy_ == WeightPolicy::sequential; }
    void prepare(DenseGradient<E, Real>& gradient) { gradient.materialise(); }
    void decide(E const&, StepInfo const&) {}

    void begin_step(E const& point, StepInfo const& step) { optimizer_.begin_step(point, step); }

    AppliedGradient<E> operator()(DenseGradient<E, Real> const& gradient) {
      AppliedGradient<E> const applied = optimizer_(gradient);
      if (policy_ == WeightPolicy::overlap && !copies_.empty()) {
        gradient.executor.record(copier_->updated);
        copier_->executor.wait(copier_->updated);
        copy_bucket(copier_->executor, gradient.bucket);
      }
      return applied;
    }

    void end_step(E const& point, StepInfo const&) {
      if (policy_ == WeightPolicy::sequential) refresh(point);
      join_copier(point);
    }

    /// The caller may restore the weights when the step is over, so nobody may read them any more.
    void cancel_step(E const& point) { join_copier(point); }

    /// Brings all copies up to date, after others have changed the weights.
    void refresh(E const& executor) {
      for (std::size_t bucket = 0; bucket < plan_->size() && !copies_.empty(); ++bucket)
        copy_bucket(executor, bucket);
    }

    ViewOn<Real const, E> worker_weights(std::size_t worker, std::size_t parameter) const {
      if (worker == 0 || copies_.empty()) return (*weights_)[parameter];
      return copies_[worker - 1].view().part(offsets_[parameter], (*weights_)[parameter].size());
    }

    auto prepare_resize(RecipeContext<E, Real> const& context) {
      return [this, executor = context.executor, copies = make_copies(context)]() mutable {
        copies_ = std::move(copies);
        refresh(executor);
      };
    }

    void set_learning_rate(E const& executor, double rate) { optimizer_.set_learning_rate(executor, rate); }
    auto& optimizer() { return optimizer_; }

    template <class Archive>
    void save(Archive& archive) const {
      optimizer_.save(archive);
    }
    template <class Archive>
    void check(Archive const& archive) const {
      optimizer_.check(archive);
    }
    template <class Archive>
    void load(Archive const& archive) {
      optimizer_.load(archive);
    }

   private:
    /// The stream on which copies are written while the reducing stream goes on.
    struct Copier {
      explicit Copier(E const& reducing)
          : executor(reducing.fork()), updated(reducing.make_event()), copied(executor.make_event()) {}

      E executor;
      typename E::event_type updated;
      typename E::event_type copied;
    };

    static std::vector<std::size_t> offsets_of(Weights<E, Real> const& weights) {
      std::vector<std::size_t> offsets{0};
      for (std::size_t parameter = 0; parameter < weights.parameters(); ++parameter)
        offsets.push_back(offsets.back() + weights[parameter].size());
      return offsets;
    }

    std::vector<Buffer<Real, E>> make_copies(RecipeContext<E, Real> const& context) const {
      std::vector<Buffer<Real, E>> copies;
      if (policy_ == WeightPolicy::shared) return copies;
      for (std::size_t worker = 1; worker < context.layout.workers; ++worker)
        copies.emplace_back(context.executor, offsets_.back());
      return copies;
    }

    void join_copier(E const& point) {
      if (copies_.empty() || !copier_) return;
      copier_->executor.record(copier_->copied);
      point.wait(copier_->copied);
    }

    void copy_bucket(E const& executor, std::size_t bucket) {
      for (std::size_t parameter : (*plan_)[bucket].parameters) {
        ViewOn<Real const, E> const from = (*weights_)[parameter];
        for (auto const& to : copies_) copy(executor, from, to.view().part(offsets_[parameter], from.size()));
      }
    }

    WeightPolicy policy_;
    BucketPlan const* plan_;
    Weights<E, Real> const* weights_;
    std::vector<std::size_t> offsets_;     // by parameter, in a copy
    std::vector<Buffer<Real, E>> copies_;  // of workers 1..k-1
    std::optional<Copier> copier_;         // after the copies: a host stream is joined before the memory goes
    decltype(std::declval<Optimizer const&>().on(std::declval<RecipeContext<E, Real> const&>())) optimizer_;
  };

  WeightPolicy policy_;
  Optimizer optimizer_;
};

}  // namespace weir::inline v1
