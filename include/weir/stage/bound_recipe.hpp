#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/core/progress.hpp"
#include "weir/stage/checkpoint.hpp"
#include "weir/stage/gradient_sink.hpp"
#include "weir/stage/rank_layout.hpp"
#include "weir/stage/stage_chain.hpp"
#include "weir/stage/step_failure.hpp"
#include "weir/stage/step_reports.hpp"

namespace weir::inline v1 {

struct BindOptions {
  SpanSink* spans = nullptr;  // outlives the bound recipe; gets what ran when
  std::size_t rank = 0;       // under which it is reported there
};

/// A recipe bound to a source and to weights.
///
/// `sync(workers(batch, model))` starts a step and returns. The leading stages that keep the form `PerWorker`
/// run on the worker's stream when it reports a bucket; the rest runs on a stream of its own, for each bucket
/// as soon as the last worker has reported it, in bucket order. The source's stream goes on after the whole
/// step.
///
/// Streams: batch and model may be changed once the source's stream has passed the step.
/// Cost: allocates nothing after construction; takes three slots of the source's stream per step.
/// Errors: a failure of a step ends it on all workers; it is rethrown by `wait` or the next step, once. If
/// some of its buckets had been applied, further steps throw `TornStep` until `load` or `restored`.
template <GradientSource Source, GradientStage... Stages>
class BoundRecipe final : public GradientSink<typename Source::executor_type, typename Source::real_type> {
 public:
  using E = typename Source::executor_type;
  using Real = typename Source::real_type;

  BoundRecipe(Source& source, Weights<E, Real> weights, std::tuple<Stages...> const& stages,
              BindOptions options)
      : source_(source),
        home_(source.executor()),
        stream_(home_.fork()),
        weights_(std::move(weights)),
        layout_{source.workers(), micro_batches_of(stages), source.local_batch()},
        end_(stream_.make_event()),
        passed_(home_.make_event()),
        options_(options),
        chain_(stages, context(), options.spans, options.rank) {
    lay_out();
  }

  BoundRecipe(BoundRecipe const&) = delete;
  BoundRecipe& operator=(BoundRecipe const&) = delete;

  /// Waits for the steps in flight, and for what was enqueued when it was bound: their tasks refer to this
  /// object.
  ~BoundRecipe() {
    home_.synchronize(passed_);
    settle_stream();
  }

  /// Starts one step. Errors: rethrows the failure of an earlier one; `TornStep`.
  template <class Launch>
  void operator()(Launch const& launch) {
    if (failure_.present()) wait();
    if (torn_) refuse_torn();
    settle_layout();
    StepInfo const step = describe(launch);
    launch.start(*this, step);
    finishing_ += layout_.workers;
    home_.submit([this, target = finishing_](E const& point) {
      // When all workers have finished, all buckets have been handed out and `end_` has been announced. On a
      // device that is so already: the models were called by `start`.
      finished_->wait_for(target);
      point.wait(end_);
    });
    home_.record(passed_);
  }

  /// Blocks until every step started so far has ended. Errors: rethrows their first failure.
  void wait() {
    home_.synchronize(passed_);
    if (auto const failure = failure_.take()) std::rethrow_exception(failure);
  }

  /// Sets the learning rate of the steps started from now on.
  void set_learning_rate(double rate) {
    static_assert((HasRate<Stages> || ...), "no stage of this recipe has a learning rate");
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.set_learning_rate(home_, rate); })
        object.set_learning_rate(home_, rate);
    });
  }

  /// The bound object of a stage, e.g. `sync.template stage<weir::Clip>()`, for what it tells about a step.
  template <GradientStage Stage>
  auto& stage() requires(std::same_as<Stage, Stages> || ...) {
    return chain_.template stage<index_of<Stage>()>().object();
  }

  /// Changes k, m or b of this rank, between steps. All ranks call it. Weights and optimizer state stay.
  /// Cost: waits for the steps in flight; allocates.
  void resize(WorkLayout layout) {
    wait();
    settle_stream();
    source_.resize(layout);
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.set_micro_batches(layout.micro_batches); })
        object.set_micro_batches(layout.micro_batches);
    });
    layout_ = layout;
    lay_out();
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.resize(context()); }) object.resize(context());
    });
  }

  /// Samples of all ranks that the steps so far have consumed.
  std::size_t consumed() const { return consumed_; }
  std::uint64_t steps() const { return started_; }
  WorkLayout const& layout() const { return layout_; }
  RankLayout const& ranks() {
    settle_layout();
    return ranks_;
  }

  /// Puts the weights, what the stages remember, and the layout into an archive (`state/archive.hpp`).
  /// Cost: waits for the steps in flight.
  template <class Archive>
  void save(Archive& archive) {
    wait();
    checkpoint().save(archive, started_, consumed_);
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.save(archive); }) object.save(archive);
    });
  }

  /// Takes everything back. Strict loading refuses another layout of ranks, workers, micro-batches or batch;
  /// another bucket plan is always refused. Errors: `ArchiveError` that names the first field that differs;
  /// nothing has been changed then.
  template <class Archive>
  void load(Archive const& archive, LoadOptions options = {}) {
    home_.synchronize(passed_);
    auto const saved = checkpoint();
    saved.check(archive, options);
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.check(archive); }) object.check(archive);
    });
    auto const position = saved.load(archive);
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.load(archive); }) object.load(archive);
    });
    started_ = position.step;
    consumed_ = position.consumed;
    restored();
  }

  /// Says that the caller has restored the weights and the optimizer state after a torn step.
  void restored() {
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.refresh(home_); }) object.refresh(home_);
    });
    failure_.take();
    torn_ = false;
  }

  ViewOn<Real const, E> weights(std::size_t worker, std::size_t parameter) const override {
    return readable_[worker][parameter];
  }

  double loss_scale() const override {
    double const* const scale = loss_scale_;
    return scale == nullptr ? 1.0 : *scale;
  }

  void ready(WorkerGradient<E> const& gradient) override {
    std::optional<WorkerGradient<E>> result;
    try {
      result = chain_.on_worker(gradient);
    } catch (...) {
      failed(gradient.worker, std::current_exception());
    }
    if (gradient.micro_batch + 1 != gradient.step.micro_batches) return;
    reports_->keep(gradient, result);
    arrive(gradient.bucket, gradient.step);
  }

  void finished(E const& point, std::size_t worker, StepInfo const& step) override {
    auto const finished = finished_;  // once all workers have advanced it, this object may be destroyed
    reports_->finish(point, worker);
    arrive(reports_->tail(), step);
    finished->advance();
  }

  void failed(std::size_t worker, std::exception_ptr failure) noexcept override {
    if (!failure_.keep(worker, std::move(failure))) return;
    chain_.for_each([](auto& object) {
      if constexpr (requires { object.abort(); }) object.abort();
    });
  }

  bool has_failed() const noexcept override { return failure_.present(); }
  SpanSink* spans() const noexcept override { return options_.spans; }
  std::size_t rank() const noexcept override { return options_.rank; }

 private:
  template <class Stage>
  static constexpr bool HasRate = requires {
    requires Stage::has_learning_rate;
  };

  template <class Stage>
  static constexpr std::size_t index_of() {
    bool const is[] = {std::same_as<Stage, Stages>...};
    std::size_t index = 0;
    while (!is[index]) ++index;
    return index;
  }

  static std::size_t micro_batches_of(std::tuple<Stages...> const& stages) {
    std::size_t count = 1;
    auto const look = [&]<class Stage>(Stage const& stage) {
      if constexpr (requires { stage.micro_batches(); }) count *= stage.micro_batches();
    };
    std::apply([&](Stages const&... stage) { (look(stage), ...); }, stages);
    return count;
  }

  RecipeContext<E, Real> context() const {
    return {stream_, home_, source_.plan(), weights_, layout_, used_};
  }

  Checkpoint<E, Real> checkpoint() {
    settle_layout();
    return {home_, source_.plan(), weights_, ranks_};
  }

  /// Waits for what the stages have enqueued outside a step, on memory that is about to go.
  void settle_stream() {
    stream_.record(end_);
    stream_.synchronize(end_);
  }

  /// Everything that depends on the number of workers and micro-batches.
  void lay_out() {
    if (layout_.micro_batches != 1 && !Source::runs_micro_batches) {
      throw ContractViolation(
          "this source gives gradients that are final: the recipe cannot accumulate micro-batches");
    }
    std::size_t const workers = layout_.workers;
    reports_ = std::make_unique<StepReports<E, Real>>(stream_, source_.plan().size(), workers);
    used_.clear();
    readable_.assign(workers, {});
    for (std::size_t worker = 0; worker < workers; ++worker) {
      used_.push_back(source_.used(worker));
      for (std::size_t p = 0; p < weights_.parameters(); ++p) readable_[worker].push_back(weights_[p]);
    }
    ranks_ = {0, {layout_}};
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.post_layout(stream_, layout_, std::uint64_t{}); })
        object.post_layout(stream_, layout_, source_.plan().layout_hash());
      if constexpr (requires { object.loss_scale(); }) loss_scale_ = object.loss_scale();
    });
    settled_ = false;
  }

  /// Not part of `lay_out`, which must not wait: one thread may bind several ranks one after another.
  void settle_layout() {
    if (settled_) return;
    stream_.synchronize();  // what the stages enqueued when they were bound
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.rank_layout(); }) ranks_ = object.rank_layout();
      if constexpr (requires { object.worker_weights(std::size_t{}, std::size_t{}); }) {
        for (std::size_t worker = 0; worker < layout_.workers; ++worker) {
          for (std::size_t p = 0; p < weights_.parameters(); ++p)
            readable_[worker][p] = object.worker_weights(worker, p);
        }
      }
    });
    settled_ = true;
  }

  template <class Launch>
  StepInfo describe(Launch const& launch) {
    std::size_t const room = ranks_.total_micro_batches() * layout_.local_batch;
    if (launch.samples() > room) {
      throw ContractViolation("a batch of " + std::to_string(launch.samples()) +
                              " samples, but all ranks together take " + std::to_string(room) + " per step");
    }
    StepInfo const step{started_++,
                        launch.samples(),
                        layout_.local_batch,
                        layout_.micro_batches,
                        ranks_.first_micro_batch(),
                        ranks_.total_micro_batches()};
    consumed_ += step.samples;
    return step;
  }

  void arrive(std::size_t bucket, StepInfo const& step) {
    reports_->arrive(bucket, [&](std::size_t due) { hand_out(due, step); });
  }

  /// Called in bucket order, by the worker whose report made the bucket due.
  void hand_out(std::size_t bucket, StepInfo const& step) {
    stream_.submit([this, bucket, step](E const& point) {
      reports_->wait_for_workers(point, bucket);
      if (bucket == reports_->tail()) {
        end_step();
      } else if (!has_failed()) {
        guarded([&] { run(point, bucket, step); });
      }
    });
    // On the stream's own handle, not on `point`: announced here, before the source's stream waits for it.
    if (bucket == reports_->tail()) stream_.record(end_);
  }

  void run(E const& point, std::size_t bucket, StepInfo step) {
    if (step.samples == 0) step.samples = count_samples(point, bucket, step);
    if (bucket == 0) {
      chain_.for_each([&](auto& object) {
        if constexpr (requires { object.begin_step(point, step); }) object.begin_step(point, step);
      });
    }
    if (auto const gradient = reports_->gather(point, bucket, step))
      applied_ += chain_.on_device(*gradient) ? 1 : 0;
    if (bucket + 1 != reports_->tail()) return;
    applied_ += chain_.release(point, step);
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.end_step(point, step); }) object.end_step(point, step);
    });
  }

  /// For a source that knows only the samples of its own rank.
  std::size_t count_samples(E const& point, std::size_t bucket, StepInfo const& step) {
    if (bucket != 0) return counted_samples_;
    auto const gradient = reports_->gather(point, bucket, step);
    counted_samples_ = gradient ? gradient->samples : 0;
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.sum_samples(point, std::uint64_t{}); })
        counted_samples_ = object.sum_samples(point, counted_samples_);
    });
    consumed_ += counted_samples_;
    return counted_samples_;
  }

  void end_step() {
    if (has_failed()) {
      chain_.drop();
      if (applied_ != 0 && applied_ != reports_->tail()) torn_ = true;
    }
    applied_ = 0;
  }

  template <class Work>
  void guarded(Work const& work) noexcept {
    try {
      work();
    } catch (...) {
      failed(StepFailure::in_a_stage, std::current_exception());
    }
  }

  [[noreturn]] static void refuse_torn() {
    throw TornStep(
        "the last step failed after some of its buckets had been applied: load a checkpoint, or restore the "
        "weights "
        "and call restored()");
  }

  Source& source_;
  E home_;
  E stream_;
  Weights<E, Real> weights_;
  WorkLayout layout_;
  RankLayout ranks_;
  bool settled_ = false;
  std::vector<std::uint8_t*> used_;
  std::vector<std::vector<ViewOn<Real const, E>>> readable_;  // by worker and parameter
  typename E::event_type end_;  // on stream_: the step's last bucket has been dealt with
  typename E::event_type
      passed_;  // on home_: the step is over for the caller, and no task refers to this object
  BindOptions options_;
  double const* loss_scale_ = nullptr;
  StepFailure failure_;
  std::atomic<bool> torn_ = false;
  StageChain<E, Real, Stages...> chain_;
  std::unique_ptr<StepReports<E, Real>> reports_;

  std::uint64_t started_ = 0;
  std::atomic<std::size_t> consumed_ = 0;
  std::size_t counted_samples_ = 0;  // of the step; stream_'s
  Progress::Count finishing_ = 0;
  std::shared_ptr<Progress> const finished_ = std::make_shared<Progress>();  // workers, of all steps together
  std::size_t applied_ = 0;                                                  // buckets of the step; stream_'s
};

}  // namespace weir::inline v1
