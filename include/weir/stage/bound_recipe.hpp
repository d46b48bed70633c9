#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/stage/checkpoint.hpp"
#include "weir/stage/rank_layout.hpp"
#include "weir/stage/step_runner.hpp"

namespace weir::inline v1 {

/// A recipe bound to a source and to weights.
///
/// `sync(workers(batch, model))` starts a step and returns. The leading stages that keep the form `PerWorker`
/// run on the worker's stream when it reports a bucket; the rest runs on a stream of its own, for each bucket
/// as soon as the last worker has reported it, in bucket order. The source's stream goes on after the whole
/// step.
///
/// Streams: batch and model may be changed once the source's stream has passed the step. A step can be
/// captured in a CUDA graph after `settle`; it is then always one of the same batch and as many samples, and
/// `replayed` counts it.
/// Cost: allocates nothing after construction.
/// Errors: a failure of a step ends it on all workers; it is rethrown by `wait` or the next step, once. Steps
/// that were started after it do not take effect. If some of its buckets had been applied, further steps
/// throw `TornStep` until `load` or `restored`.
template <GradientSource Source, GradientStage... Stages>
class BoundRecipe {
 public:
  using E = typename Source::executor_type;
  using Real = typename Source::real_type;

  /// Whether the source has to multiply the loss by what a stage says.
  static constexpr bool takes_loss_scale_out = (detail::takes_loss_scale_out<Stages> || ...);

  BoundRecipe(Source& source, Weights<E, Real> weights, std::tuple<Stages...> const& stages,
              BindOptions options)
      : source_(source),
        home_(source.executor()),
        filled_(home_.make_event()),
        stream_(fork_behind(home_, filled_)),
        weights_(checked(home_, std::move(weights))),
        description_(StageChain<E, Real, Stages...>::description(stages)),
        layout_{source.workers(), micro_batches_of(stages), source.local_batch()},
        sparse_capacity_(sparse_capacity_of(stages, source.plan())),
        runner_(context(layout_), stages, options) {
    lay_out(Tables(*this, layout_));
  }

  BoundRecipe(BoundRecipe const&) = delete;
  BoundRecipe& operator=(BoundRecipe const&) = delete;

  /// Starts one step and returns; the first one, and the first after a resize, waits for the other ranks as
  /// `settle` does. Errors: rethrows the failure of an earlier one; `TornStep`; `ContractViolation` for a
  /// batch that is larger than a step.
  template <class Launch>
  void operator()(Launch const& launch) {
    if (runner_.has_failed()) wait();
    settle();
    runner_.start(launch, describe(launch));
    if (!is_being_captured(home_)) {
      ++started_;
    } else if (auto const failure = runner_.take_failure()) {
      runner_.forget_failure();  // nothing has run
      std::rethrow_exception(failure);
    }
  }

  /// Blocks until every step started so far has ended. Errors: rethrows their first failure.
  void wait() {
    runner_.finish();
    if (auto const failure = runner_.take_failure()) {
      started_ = runner_.steps();
      runner_.set_position(started_, runner_.consumed());
      std::rethrow_exception(failure);
    }
    if constexpr (!HostOrderedExecutor<E>) {
      runner_.chain().for_each([](auto& object) {
        if constexpr (requires { object.raise(); }) object.raise();
      });
    }
  }

  /// Whether a step has failed since the last `wait`. From any thread.
  bool has_failed() const noexcept { return runner_.has_failed(); }

  /// Whether further steps throw `TornStep`. Between steps.
  bool is_torn() const noexcept { return runner_.is_torn(); }

  /// One look at whether the steps under way can end, for who waits for them by other means; else they fail.
  static constexpr bool is_watched = StageChain<E, Real, Stages...>::is_watched;
  void watch() noexcept { runner_.watch(); }

  /// Ends the steps under way: they do not take effect, and `wait` or the next step throws `StepStopped`. The
  /// communicators are told to give up, as after any failure. Without effect if called again, or if the steps
  /// have failed already. From any thread.
  void stop() noexcept { runner_.stop(); }

  /// Counts steps that were replays of a captured one: a graph does not tell.
  void replayed(std::uint64_t steps = 1) {
    started_ += steps;
    runner_.count_replays(steps);
  }

  /// Blocks until the ranks know each other's layouts. The first step does it otherwise, and so does the
  /// first one after a resize. Errors: why they cannot, in this call and, until a resize, in every later one
  /// that needs them.
  void settle() {
    if (layout_failure_ != nullptr) std::rethrow_exception(layout_failure_);
    if (!settled_) keep_layout_failure([this] { settle_layout(); });
  }

  /// Sets the learning rate of the steps started from now on.
  void set_learning_rate(double rate) {
    static_assert((has_rate<Stages> || ...), "no stage of this recipe has a learning rate");
    runner_.chain().for_each([&](auto& object) {
      if constexpr (requires { object.set_learning_rate(home_, rate); })
        object.set_learning_rate(home_, rate);
    });
    runner_.mark_passed();
  }

  /// The bound object of a stage, e.g. `sync.template stage<weir::Clip>()`, for what it tells about a step.
  template <GradientStage Stage>
  auto& stage() requires(std::same_as<Stage, Stages> || ...) {
    return runner_.chain().template stage<index_of<Stage>()>().object();
  }

  /// Changes k, m or b of this rank, between steps. All ranks call it. Weights and optimizer state stay.
  /// Cost: waits for the steps in flight; allocates. Errors: `OutOfMemory`, and `ContractViolation` as
  /// for m > 1 without a `GradAccumulator`, with everything as it was.
  void resize(WorkLayout layout) {
    wait();
    check_micro_batches(layout);
    runner_.drain();
    auto change = runner_.chain().prepare_resize(context(layout));
    Tables tables(*this, layout);
    source_.resize(layout);
    // From here on nothing fails.
    change();
    layout_ = layout;
    lay_out(std::move(tables));
  }

  /// The steps that have taken effect, and the samples of all ranks that they consumed. Between steps.
  std::uint64_t steps() const { return runner_.steps(); }
  std::uint64_t consumed() const { return runner_.consumed(); }
  /// What `steps` comes to if all that were started take effect.
  std::uint64_t started() const { return started_; }

  WorkLayout const& layout() const { return layout_; }
  RankLayout const& ranks() {
    settle();
    return ranks_;
  }

  /// Puts the weights, what the stages remember, the layout and, for who reads it, the recipe into an archive
  /// (`state/archive.hpp`).
  /// Cost: waits for the steps in flight.
  template <class Archive>
  void save(Archive& archive) {
    wait();
    checkpoint().save(archive, steps(), consumed());
    archive.put("recipe", 0, description_);
    if constexpr (requires { source_.seed(); }) archive.put("seed", 0, source_.seed());
    runner_.chain().for_each([&](auto& object) {
      if constexpr (requires { object.save(archive); }) object.save(archive);
    });
  }

  /// Takes everything back. Strict loading refuses another seed, threshold policy or layout of ranks,
  /// workers, micro-batches or batch; another bucket plan is always refused. Errors: `ArchiveError` that
  /// names the first field that differs; nothing has been changed then.
  template <class Archive>
  void load(Archive const& archive, LoadOptions options = {}) {
    check(archive, options);
    auto const [step, consumed] = checkpoint().load(archive);
    runner_.chain().for_each([&](auto& object) {
      if constexpr (requires { object.load(archive); }) object.load(archive);
    });
    started_ = step;
    runner_.set_position(step, consumed);
    go_on();
  }

  /// Throws what `load` would throw, and changes nothing.
  template <class Archive>
  void check(Archive const& archive, LoadOptions options = {}) {
    runner_.finish();
    auto const saved = checkpoint();
    saved.check(archive, options);
    if constexpr (requires { source_.seed(); }) saved.check_seed(archive, source_.seed(), options);
    runner_.chain().for_each([&](auto& object) {
      if constexpr (requires { object.check(archive, options); }) {
        object.check(archive, options);
      } else if constexpr (requires { object.check(archive); }) {
        object.check(archive);
      }
    });
  }

  /// Says that the caller has changed the weights or, after a torn step, restored them and the optimizer's
  /// state. Errors: rethrows a failure that nobody has been told of.
  void restored() {
    wait();
    go_on();
  }

 private:
  /// With the weights as they are.
  void go_on() {
    runner_.chain().for_each([&](auto& object) {
      if constexpr (requires { object.refresh(home_); }) object.refresh(home_);
    });
    runner_.mark_passed();
    runner_.forget_failure();
  }

  template <class Stage>
  static constexpr bool has_rate = requires {
    requires Stage::has_learning_rate;
  };

  template <class Stage>
  static constexpr std::size_t index_of() {
    bool const is[] = {std::same_as<Stage, Stages>...};
    std::size_t index = 0;
    while (!is[index]) ++index;
    return index;
  }

  /// Stages that read the weights when they are bound come after what fills them on the source's stream.
  static E fork_behind(E const& home, typename E::event_type const& filled) {
    E const stream = home.fork();
    home.record(filled);
    stream.wait(filled);
    return stream;
  }

  static Weights<E, Real> checked(E const& executor, Weights<E, Real> weights) {
    weights.check_memory(executor, "the weights");
    return weights;
  }

  static std::size_t micro_batches_of(std::tuple<Stages...> const& stages) {
    std::size_t count = 1;
    auto const look = [&]<class Stage>(Stage const& stage) {
      if constexpr (detail::accumulates<Stage>) count *= stage.micro_batches();
    };
    std::apply([&](Stages const&... stage) { (look(stage), ...); }, stages);
    return count;
  }

  static void check_micro_batches(WorkLayout const& layout) {
    if (layout.micro_batches == 1) return;
    std::string const found = std::to_string(layout.micro_batches) + " micro-batches";
    if (!Source::runs_micro_batches) {
      throw ContractViolation(found +
                              " per worker: this source gives gradients that are final, 1 would be right");
    }
    if (!(detail::accumulates<Stages> || ...)) {
      throw ContractViolation(found + " per worker: the recipe has no GradAccumulator, 1 would be right");
    }
  }

  /// Empty where no stage sparsifies.
  static std::vector<std::size_t> sparse_capacity_of(std::tuple<Stages...> const& stages,
                                                     BucketPlan const& plan) {
    std::vector<std::size_t> capacity;
    auto const look = [&]<class Stage>(Stage const& stage) {
      if constexpr (requires { stage.sparse_capacity(plan); }) capacity = stage.sparse_capacity(plan);
    };
    std::apply([&](Stages const&... stage) { (look(stage), ...); }, stages);
    return capacity;
  }

  RecipeContext<E, Real> context(WorkLayout const& layout) const {
    return {stream_,
            home_,
            source_.plan(),
            weights_,
            layout,
            used_,
            sparse_capacity_.empty() ? nullptr : &sparse_capacity_};
  }

  Checkpoint<E, Real> checkpoint() {
    settle();
    return {home_, source_.plan(), weights_, ranks_};
  }

  /// What the recipe itself keeps per worker.
  struct Tables {
    Tables(BoundRecipe const& recipe, WorkLayout const& layout)
        : reports(recipe.runner_.make_reports(layout.workers)), used(layout.workers), ranks{0, {layout}} {
      check_micro_batches(layout);
    }

    typename StepRunner<E, Real, Stages...>::Reports reports;
    std::vector<std::uint8_t*> used;
    RankLayout ranks;
  };

  /// Puts the tables in place and starts the exchange of layouts.
  void lay_out(Tables tables) {
    runner_.join();
    runner_.lay_out(std::move(tables.reports));
    used_ = std::move(tables.used);
    for (std::size_t worker = 0; worker < layout_.workers; ++worker) used_[worker] = source_.used(worker);
    ranks_ = std::move(tables.ranks);
    settled_ = false;
    layout_failure_ = nullptr;
    keep_layout_failure([&] {
      runner_.chain().for_each([&](auto& object) {
        if constexpr (requires { object.post_layout(stream_, layout_, std::uint64_t{}); })
          object.post_layout(stream_, layout_, source_.plan().layout_hash());
      });
    });
  }

  /// What was received instead of layouts means nothing, and will not come any more.
  template <class Exchange>
  void keep_layout_failure(Exchange const& exchange) {
    bool const may_be_over_later = is_being_captured(home_);  // a capture can forbid to wait
    try {
      exchange();
    } catch (...) {
      if (!may_be_over_later) layout_failure_ = std::current_exception();
      throw;
    }
  }

  /// Not part of `lay_out`, which must not wait: one thread may bind several ranks one after another.
  void settle_layout() {
    runner_.synchronize();  // also with what the stages enqueued when they were bound
    typename StepRunner<E, Real, Stages...>::Readable readable(layout_.workers);
    for (auto& of_worker : readable) {
      for (std::size_t p = 0; p < weights_.parameters(); ++p) of_worker.push_back(weights_[p]);
    }
    runner_.chain().for_each([&](auto& object) {
      if constexpr (requires { object.rank_layout(); }) ranks_ = object.rank_layout();
      if constexpr (requires { object.worker_weights(std::size_t{}, std::size_t{}); }) {
        for (std::size_t worker = 0; worker < layout_.workers; ++worker) {
          for (std::size_t p = 0; p < weights_.parameters(); ++p)
            readable[worker][p] = object.worker_weights(worker, p);
        }
      }
    });
    runner_.set_readable(std::move(readable));
    settled_ = true;
  }

  template <class Launch>
  StepInfo describe(Launch const& launch) const {
    std::size_t const room = ranks_.total_micro_batches() * layout_.local_batch;
    if (Source::runs_micro_batches && launch.samples() > room) {
      throw ContractViolation("a batch of " + std::to_string(launch.samples()) +
                              " samples, but all ranks together take " + std::to_string(room) + " per step");
    }
    return {started_,
            launch.samples(),
            layout_.local_batch,
            layout_.micro_batches,
            ranks_.first_micro_batch(),
            ranks_.total_micro_batches(),
            shift_of(launch)};
  }

  template <class Launch>
  static WeightShift shift_of(Launch const& launch) {
    if constexpr (requires { launch.weight_shift(); }) {
      return launch.weight_shift();
    } else {
      return {};
    }
  }

  Source& source_;
  E home_;
  typename E::event_type filled_;  // on home_: what the weights hold when they are bound
  E stream_;
  Weights<E, Real> weights_;
  std::string description_;
  WorkLayout layout_;
  std::vector<std::size_t> sparse_capacity_;
  RankLayout ranks_;
  bool settled_ = false;
  std::exception_ptr layout_failure_;  // of the exchange of layouts
  std::vector<std::uint8_t*> used_;
  std::uint64_t started_ = 0;
  StepRunner<E, Real, Stages...> runner_;
};

}  // namespace weir::inline v1
