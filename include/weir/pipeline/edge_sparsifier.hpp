#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/smaller.hpp"
#include "weir/exec/sparsify_statistics.hpp"
#include "weir/exec/two_sided_view.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/stage/checkpoint.hpp"
#include "weir/stage/concepts.hpp"
#include "weir/state/archive_scope.hpp"
#include "weir/tensor/bucket_plan.hpp"
#include "weir/tensor/buffer.hpp"
#include "weir/tensor/element_type.hpp"

namespace weir::inline v1 {

/// A stage that selects elements of what it is given, and that a pipeline can use for its edges:
/// `ThresholdSparsifier{..}`, alone or in an `ErrorFeedback`. Not one that adds momentum, or asks other
/// ranks.
template <class S, class E, class Real>
concept SelectsFromTensors = GradientStage<S> && BindsToRecipe<S, E, Real> &&
    std::same_as<typename S::consumes, Dense> && std::same_as<typename S::produces, Sparse> &&
    requires(S const& stage, BucketPlan const& plan) {
  requires S::selects_for_itself;
  { stage.sparse_capacity(plan) } -> std::same_as<std::vector<std::size_t>>;
  { stage.has_warmup() } -> std::same_as<bool>;
  { stage.text() } -> std::convertible_to<std::string>;
};

namespace detail {

/// Selects from the tensors of one channel, each of which is a bucket with a state of its own.
template <Executor E, class Real>
class TensorSelection {
 public:
  virtual ~TensorSelection() = default;
  /// The same one, not bound.
  virtual TensorSelection* copy() const = 0;

  /// What a checkpoint tells of it.
  virtual std::string text() const = 0;
  /// How many pairs are selected at most, of tensors of so many elements each.
  virtual std::vector<std::size_t> capacity(std::vector<std::size_t> const& elements) const = 0;

  /// Takes its memory. Before all that follows.
  virtual void bind(E const& executor, std::vector<std::size_t> const& elements) = 0;
  virtual bool is_bound() const = 0;
  /// What it has taken. Units: bytes.
  virtual std::size_t workspace_bytes() const = 0;
  /// At the begin and at the end of a message, which is a step of the stage.
  virtual void begin(E const& point, std::size_t samples, std::size_t local_batch) = 0;
  virtual void end(E const& point) = 0;
  /// The pairs of a tensor, as `PairBlocks` has them. What is kept of elements behind the first `due` stays.
  /// Errors: what the stage throws.
  virtual ViewOn<std::uint64_t, E> select(E const& point, ViewOn<Real, E> values, std::size_t due,
                                          std::size_t tensor) = 0;
  /// Whether it has just skipped a tensor, which with what was kept of it is not finite.
  virtual bool has_skipped(std::size_t tensor) const = 0;
  /// What was not sent so far, where it is kept. Blocks.
  virtual std::vector<Real> residual(std::size_t tensor) const = 0;
  /// Forgets everything. Blocks. Errors: `OutOfMemory`; nothing has been changed then.
  virtual void restart() = 0;
  virtual void save(Archive& archive, std::string const& prefix) const = 0;
  virtual void check(Archive const& archive, std::string const& prefix, LoadOptions options) const = 0;
  virtual void load(Archive const& archive, std::string const& prefix) = 0;
};

template <class Stage, Executor E, class Real>
class TensorSelectionOf final : public TensorSelection<E, Real> {
  using Context = RecipeContext<E, Real>;
  using BoundStage = decltype(std::declval<Stage const&>().on(std::declval<Context const&>()));

 public:
  explicit TensorSelectionOf(Stage const& stage) : stage_(stage) {}
  TensorSelectionOf(TensorSelectionOf const&) = delete;
  TensorSelectionOf& operator=(TensorSelectionOf const&) = delete;
  ~TensorSelectionOf() override { delete bound_; }
  TensorSelection<E, Real>* copy() const override { return new TensorSelectionOf(stage_); }

  std::string text() const override { return std::string(Stage::name) + " (" + stage_.text() + ")"; }
  std::vector<std::size_t> capacity(std::vector<std::size_t> const& elements) const override {
    BucketPlan const plan = plan_of(elements);
    std::vector<std::size_t> const of_bucket = stage_.sparse_capacity(plan);
    std::vector<std::size_t> of_tensor;
    for (std::size_t tensor = 0; tensor < elements.size(); ++tensor)
      of_tensor.push_back(of_bucket[plan.place(tensor).bucket]);
    return of_tensor;
  }

  void bind(E const& executor, std::vector<std::size_t> const& elements) override {
    // What its state says is asked in the middle of a run, so nothing of it may wait for a stream.
    executor.submit([&](E const& point) { own(new Bound(stage_, point, plan_of(elements))); });
    executor.synchronize();
  }
  bool is_bound() const override { return bound_ != nullptr; }
  std::size_t workspace_bytes() const override {
    std::size_t bytes = 0;
    if constexpr (requires(Bound const& bound) {
                    stage_.template workspace_bytes<Real>(bound.plan, bound.layout);
                  })
      bytes = stage_.template workspace_bytes<Real>(bound_->plan, bound_->layout);
    std::size_t scratch = 0;
    for (std::size_t tensor = 0; tensor < bound_->plan.size(); ++tensor)
      scratch =
          larger(scratch, sparsify_scratch_bytes<Real>(bound_->executor, bound_->plan[tensor].size, 1.0));
    return bytes + scratch + bound_->aside.size() * sizeof(Real);
  }
  void begin(E const& point, std::size_t samples, std::size_t local_batch) override {
    bound_->step.samples = samples;
    bound_->step.local_batch = local_batch;
    if constexpr (requires(BoundStage & stage, StepInfo const& step) { stage.begin_step(point, step); })
      bound_->stage.begin_step(point, bound_->step);
  }
  void end(E const& point) override {
    if constexpr (requires(BoundStage & stage, StepInfo const& step) { stage.end_step(point, step); })
      bound_->stage.end_step(point, bound_->step);
    ++bound_->step.number;
  }
  ViewOn<std::uint64_t, E> select(E const& point, ViewOn<Real, E> values, std::size_t due,
                                  std::size_t tensor) override {
    KeptAside const kept(bound_->residuals[tensor], due, bound_->aside.data());
    return bound_->select(point, values, tensor).block;
  }
  bool has_skipped(std::size_t tensor) const override {
    SparsifyStatistics const last = bound_->stage.statistics(bound_->plan.place(tensor).bucket);
    return last.status != SparsifyStatus::selected || last.non_finite != 0;
  }
  std::vector<Real> residual(std::size_t tensor) const override {
    if constexpr (requires(BoundStage const& stage) { stage.residual(tensor); })
      return bound_->stage.residual(bound_->plan.place(tensor).bucket);
    return {};
  }
  void restart() override { own(new Bound(stage_, bound_->executor, bound_->plan)); }

  void save(Archive& archive, std::string const& prefix) const override {
    ArchiveScope scope(archive, prefix);
    if constexpr (requires(BoundStage const& stage) { stage.save(scope); }) bound_->stage.save(scope);
    scope.put(messages_name, 0, bound_->step.number);
    scope.header() = {name_of(element_type_of<Real>), bound_->plan.layout_hash(), 1};
    scope.put_header();
  }
  void check(Archive const& archive, std::string const& prefix, LoadOptions options) const override {
    ArchiveScope const scope(archive, prefix);
    if constexpr (requires(BoundStage const& stage) { stage.check(scope, options); })
      bound_->stage.check(scope, options);
    (void)scope.get_value<std::uint64_t>(messages_name, 0);
  }
  void load(Archive const& archive, std::string const& prefix) override {
    ArchiveScope const scope(archive, prefix);
    if constexpr (requires(BoundStage & stage) { stage.load(scope); }) bound_->stage.load(scope);
    bound_->step.number = scope.get_value<std::uint64_t>(messages_name, 0);
  }

 private:
  static constexpr char const* messages_name = "messages";

  using Residual = TwoSidedView<Real, typename E::memory_space>;

  /// Takes what is kept of the elements from `due` on away while it lives, so that they are 0.
  class KeptAside {
   public:
    KeptAside(Residual const& residual, std::size_t due, Real* aside)
        : residual_(residual), due_(due < residual.size() ? due : residual.size()), aside_(aside) {
      for (std::size_t i = due_; i < residual_.size(); ++i)
        aside_[i] = std::exchange(residual_.current()[i], Real(0));
    }
    KeptAside(KeptAside const&) = delete;
    KeptAside& operator=(KeptAside const&) = delete;
    ~KeptAside() {
      for (std::size_t i = due_; i < residual_.size(); ++i) residual_.current()[i] = aside_[i];
    }

   private:
    Residual residual_;
    std::size_t due_;
    Real* aside_;
  };

  struct Bound {
    /// `home`: of a task, which does at once what it is given.
    Bound(Stage const& description, E const& home, BucketPlan tensors)
        : executor(home),
          plan(std::move(tensors)),
          no_weights(std::vector<ViewOn<Real, E>>{}, BucketPlan{}),
          flags(plan.parameters(), 1),
          used{flags.data()},
          capacity(description.sparse_capacity(plan)),
          aside(executor, largest_selected()),
          stage(description.on(Context{executor, executor, plan, no_weights, layout, used, &capacity})) {
      find_residuals();
    }

    SparseGradient<E, Real> select(E const& point, ViewOn<Real, E> values, std::size_t tensor) {
      return stage({.executor = point,
                    .values = values,
                    .bucket = plan.place(tensor).bucket,
                    .samples = step.samples,
                    .step = step});
    }

    E executor;
    BucketPlan plan;
    Weights<E, Real> no_weights;
    WorkLayout layout;
    std::vector<std::uint8_t> flags;
    std::vector<std::uint8_t*> used;
    std::vector<std::size_t> capacity;
    Buffer<Real, E> aside;  // of one tensor after another
    BoundStage stage;
    StepInfo step = {};                    // the message under way, counted
    std::vector<Residual> residuals = {};  // by tensor; empty where nothing is kept

   private:
    std::size_t largest_selected() const {
      std::size_t largest = 0;
      for (std::size_t bucket = 0; bucket < plan.size(); ++bucket) {
        if (capacity[bucket] != 0) largest = larger(largest, plan[bucket].size);
      }
      return largest;
    }

    /// A selection says where a residual lies: one of zeros, in a step that is undone.
    void find_residuals() {
      residuals.resize(plan.parameters());
      if constexpr (requires {
                      stage.begin_step(executor, step);
                      stage.cancel_step(executor);
                    }) {
        set_zero(executor, aside.view());
        stage.begin_step(executor, step);
        for (std::size_t tensor = 0; tensor < residuals.size(); ++tensor) {
          std::size_t const bucket = plan.place(tensor).bucket;
          if (capacity[bucket] != 0)
            residuals[tensor] = select(executor, aside.view().part(0, plan[bucket].size), tensor).residual;
        }
        stage.cancel_step(executor);
      }
    }
  };

  static BucketPlan plan_of(std::vector<std::size_t> const& elements) {
    std::vector<Parameter> tensors;
    for (std::size_t const count : elements) tensors.push_back({count, element_type_of<Real>});
    return BucketPlan::per_parameter(std::move(tensors));
  }

  void own(Bound* bound) {
    delete bound_;
    bound_ = bound;
  }

  Stage stage_;
  Bound* bound_ = nullptr;
};

}  // namespace detail

/// What a pipeline sends of the tensors of those stages whose codec is `EdgeCodec::sparse`, and of the
/// gradients that come back: the elements that a stage selects, with their indices. Each way from one stage
/// to another has a state of its own, so with `ErrorFeedback` what was not sent of one micro-batch is added
/// to the next one that goes the same way. None by default; on a host.
///
/// Cost: what the stage takes, and the memory of its largest tensor, at the sender of each way. Errors:
/// `ContractViolation` for a density with a warm-up: the messages of an edge are of one size.
template <Executor E, class Real = float>
class EdgeSparsifier {
 public:
  EdgeSparsifier() = default;
  template <class Stage>
  requires(!std::same_as<Stage, EdgeSparsifier> && HostOrderedExecutor<E> &&
           SelectsFromTensors<Stage, E, Real>) EdgeSparsifier(Stage const& stage)
      : selection_(new detail::TensorSelectionOf<Stage, E, Real>(checked(stage))) {}

  EdgeSparsifier(EdgeSparsifier const& other)
      : selection_(other.is_none() ? nullptr : other.selection_->copy()) {}
  EdgeSparsifier(EdgeSparsifier&& other) noexcept : selection_(std::exchange(other.selection_, nullptr)) {}
  EdgeSparsifier& operator=(EdgeSparsifier other) noexcept {
    std::swap(selection_, other.selection_);
    return *this;
  }
  ~EdgeSparsifier() { delete selection_; }

  bool is_none() const { return selection_ == nullptr; }

  // For the pipeline.

  detail::TensorSelection<E, Real>& selection() { return *selection_; }
  detail::TensorSelection<E, Real> const& selection() const { return *selection_; }

 private:
  template <class Stage>
  static Stage const& checked(Stage const& stage) {
    if (stage.has_warmup())
      throw ContractViolation(
          "EdgeSparsifier: a DensityWarmup, whose largest density would fix the size of all messages: leave "
          ".warmup away");
    return stage;
  }

  detail::TensorSelection<E, Real>* selection_ = nullptr;
};

}  // namespace weir::inline v1
