#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/compress/bound_sparsifier.hpp"
#include "weir/compress/decompress.hpp"
#include "weir/compress/sparsifier_archive.hpp"
#include "weir/compress/sparsifier_memory.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/host_copy.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/stage/stage_workspace.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

namespace detail {
template <class Stage>
inline constexpr bool propagates_non_finite = requires {
  requires Stage::on_non_finite == NonFinitePolicy::propagate;
};
}  // namespace detail

/// Sends what has changed: every rank keeps an estimate h of its gradient, sends what a sparsifier selects of
/// g - h, and adds it to h; the sum of all estimates, which every rank has, is what is applied. Another way
/// than `ErrorFeedback` to lose nothing in the long run. It takes the place of the all-reduce, which it is
/// given: `EF21{ThresholdSparsifier{..}, AllReduce{communicator}}`; none for one rank.
///
/// The all-reduce has to sum all that was selected, so it may reject nothing. A step that fails cannot be
/// undone: `TornStep` until a checkpoint is loaded or, on all ranks, `restored()` is called.
///
/// Cost: two vectors per bucket; one more pass, which adds up the sum. Errors: `TornStep`, and those of the
/// stages within. Source: [richtarik2021]
template <class Stage, class Reduce = Decompress>
class EF21 {
  static_assert(Sparsifier<Stage>,
                "EF21 sends what a sparsifier selects: give it a ThresholdSparsifier, and no other stage");
  static_assert(detail::accepts<typename Reduce::consumes, Sparse> &&
                    std::same_as<typename Reduce::produces, Dense>,
                "EF21 needs a stage that sums sparse gradients: give it an AllReduce, or nothing");
  static_assert(!detail::propagates_non_finite<Stage>,
                "EF21 would remember what is not finite: its sparsifier has to skip it, or to fail");

 public:
  using consumes = Dense;
  using produces = Dense;
  static constexpr char const* name = "ef21";
  static constexpr bool needs_unscaled_gradients = true;

  explicit EF21(Stage const& sparsifier, Reduce reduce = {})
      : sparsifier_(sparsifier.remembering({.kind = SparsifierMemoryKind::estimate})),
        reduce_(std::move(reduce)) {}

  template <Executor E, class Real>
  requires BindsToRecipe<Stage, E, Real> && BindsToRecipe<Reduce, E, Real> && SummingBackend<E, Real, Real>
  auto on(RecipeContext<E, Real> const& context) const {
    return Bound<E, Real>(context, sparsifier_, reduce_);
  }

  /// By bucket, how many pairs its sparsifier gives at most.
  std::vector<std::size_t> sparse_capacity(BucketPlan const& plan) const {
    return sparsifier_.sparse_capacity(plan);
  }

  /// What a checkpoint tells of it.
  std::string text() const { return sparsifier_.text(); }

  /// What it allocates when it is bound, besides the scratch memory of the backend and what communicators
  /// reserve. Units: bytes.
  template <class Real>
  std::size_t workspace_bytes(BucketPlan const& plan, WorkLayout const& layout) const {
    return sparsifier_.template workspace_bytes<Real>(plan, layout) + plan.elements() * sizeof(Real) +
           detail::stage_workspace_bytes<Real>(reduce_, plan, layout, sparse_capacity(plan));
  }

 private:
  template <Executor E, class Real>
  class Bound {
    template <class S>
    using BoundTo = decltype(std::declval<S const&>().on(std::declval<RecipeContext<E, Real> const&>()));
    using Reducer = BoundTo<Reduce>;
    template <class Object>
    static constexpr bool is_watched = requires(Object& object) {
      object.watch();
    };

   public:
    Bound(RecipeContext<E, Real> const& context, Stage const& sparsifier, Reduce const& reduce)
        : executor_(context.executor),
          plan_(&context.plan),
          sums_(make_sums(context)),
          sparsifier_(sparsifier.on(context)),
          reduce_(reduce.on(context)) {
      clear(executor_);
    }

    DenseGradient<E, Real> operator()(DenseGradient<E, Real> const& gradient) {
      DenseGradient<E, Real> dense = reduce_(sparsifier_(gradient));
      Buffer<Real, E> const& sum = sums_[dense.bucket];
      if (sum.size() == 0) return dense;
      dense.materialise();
      add_scaled(dense.executor, ViewOn<Real const, E>(dense.values), Real{1}, sum.view());
      copy(dense.executor, ViewOn<Real const, E>(sum.view()), dense.values);
      return dense;
    }

    /// What was selected and sent, with what is known of it.
    auto& sparsifier() { return sparsifier_; }

    void begin_step(E const& point, StepInfo const& step) {
      sparsifier_.begin_step(point, step);
      if constexpr (requires { reduce_.begin_step(point, step); }) reduce_.begin_step(point, step);
    }
    void end_step(E const& point, StepInfo const& step) {
      sparsifier_.end_step(point, step);
      if constexpr (requires { reduce_.end_step(point, step); }) reduce_.end_step(point, step);
    }
    void cancel_step(E const& point) {
      sparsifier_.cancel_step(point);
      if constexpr (requires { reduce_.cancel_step(point); }) reduce_.cancel_step(point);
    }
    void refresh(E const& executor) {
      if (sparsifier_.is_torn()) clear(executor);
      sparsifier_.refresh(executor);
      if constexpr (requires { reduce_.refresh(executor); }) reduce_.refresh(executor);
    }
    void raise() requires(!HostOrderedExecutor<E>) { sparsifier_.raise(); }

    // What the all-reduce does for the recipe.
    void post_layout(E const& executor, WorkLayout const& layout,
                     std::uint64_t plan) requires(requires(Reducer& reduce) {
      reduce.post_layout(executor, layout, plan);
    }) {
      reduce_.post_layout(executor, layout, plan);
    }
    auto rank_layout() const requires(requires(Reducer const& reduce) { reduce.rank_layout(); }) {
      return reduce_.rank_layout();
    }
    std::uint64_t sum_samples(E const& point, std::uint64_t samples) requires(requires(Reducer& reduce) {
      reduce.sum_samples(point, samples);
    }) {
      return reduce_.sum_samples(point, samples);
    }
    auto prepare_resize(RecipeContext<E, Real> const& context) requires(requires(Reducer& reduce) {
      reduce.prepare_resize(context);
    }) {
      return reduce_.prepare_resize(context);
    }
    void watch() requires(is_watched<BoundTo<Stage>> || is_watched<Reducer>) {
      if constexpr (is_watched<BoundTo<Stage>>) sparsifier_.watch();
      if constexpr (is_watched<Reducer>) reduce_.watch();
    }
    void abort() noexcept {
      if constexpr (requires { sparsifier_.abort(); }) sparsifier_.abort();
      if constexpr (requires { reduce_.abort(); }) reduce_.abort();
    }

    template <class Archive>
    void save(Archive& archive) const {
      sparsifier_.save(archive);
      for (std::size_t bucket = 0; bucket < sums_.size(); ++bucket) {
        if (sums_[bucket].size() != 0)
          put_by_parameter(archive, sum_name, *plan_, bucket, to_host(executor_, sums_[bucket].view()));
      }
    }
    template <class Archive>
    void check(Archive const& archive, LoadOptions options) const {
      sparsifier_.check(archive, options);
      for (std::size_t bucket = 0; bucket < sums_.size(); ++bucket) {
        if (sums_[bucket].size() != 0) check_by_parameter<Real>(archive, sum_name, *plan_, bucket);
      }
    }
    template <class Archive>
    void load(Archive const& archive) {
      sparsifier_.load(archive);
      for (std::size_t bucket = 0; bucket < sums_.size(); ++bucket) {
        if (sums_[bucket].size() == 0) continue;
        auto const saved = get_by_parameter<Real>(archive, sum_name, *plan_, bucket);
        from_host(executor_, std::span<Real const>(saved), sums_[bucket].view());
      }
    }

   private:
    static constexpr char const* sum_name = "ef21.sum";

    /// None where a bucket is sent whole.
    static std::vector<Buffer<Real, E>> make_sums(RecipeContext<E, Real> const& context) {
      std::vector<Buffer<Real, E>> sums;
      for (std::size_t bucket = 0; bucket < context.plan.size(); ++bucket) {
        bool const is_whole = context.sparse_capacity != nullptr && (*context.sparse_capacity)[bucket] == 0;
        sums.emplace_back(context.executor, is_whole ? 0 : context.plan[bucket].size);
      }
      return sums;
    }

    void clear(E const& executor) {
      for (auto const& sum : sums_) set_zero(executor, sum.view());
    }

    E executor_;
    BucketPlan const* plan_;
    std::vector<Buffer<Real, E>> sums_;  // by bucket
    BoundTo<Stage> sparsifier_;
    Reducer reduce_;
  };

  Stage sparsifier_;
  Reduce reduce_;
};

}  // namespace weir::inline v1
