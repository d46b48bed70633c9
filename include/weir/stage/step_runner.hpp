#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/core/progress.hpp"
#include "weir/exec/step_clock.hpp"
#include "weir/stage/bind_options.hpp"
#include "weir/stage/gradient_sink.hpp"
#include "weir/stage/stage_chain.hpp"
#include "weir/stage/step_failure.hpp"
#include "weir/stage/step_reports.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1 {

/// Runs the steps of a bound recipe: takes what the workers report, and sends each bucket through the stages
/// as soon as the last worker has reported it, in bucket order, on a stream of its own.
///
/// Streams: the caller's stream goes on after a step when every worker has ended and the last bucket is done.
/// Cost: takes three slots of the caller's stream per step; allocates nothing after `lay_out`.
template <Executor E, class Real, GradientStage... Stages>
class StepRunner final : public GradientSink<E, Real> {
 public:
  using Readable = std::vector<std::vector<ViewOn<Real const, E>>>;  // by worker and parameter

  /// `context.executor` becomes the stream of the stages.
  StepRunner(RecipeContext<E, Real> const& context, std::tuple<Stages...> const& stages, BindOptions options)
      : home_(context.home),
        stream_(context.executor),
        buckets_(context.plan.size()),
        end_(stream_.make_event()),
        passed_(home_.make_event()),
        options_(options),
        clock_(home_, HostOrderedExecutor<E> ? 0 : 1),
        chain_(stages, context, options.spans, options.rank) {
    set_clock(0);
  }

  StepRunner(StepRunner const&) = delete;
  StepRunner& operator=(StepRunner const&) = delete;

  /// Waits for the steps in flight, and for what stages have enqueued besides: their tasks refer to this
  /// object.
  ~StepRunner() {
    try {
      finish();
      drain();
    } catch (...) {  // a device that is gone has nothing enqueued
    }
  }

  auto& chain() { return chain_; }

  using Reports = std::unique_ptr<StepReports<E, Real>>;
  Reports make_reports(std::size_t workers) const {
    return std::make_unique<StepReports<E, Real>>(stream_, buckets_, workers);
  }

  /// Sets where the workers report. Between steps.
  void lay_out(Reports reports) {
    reports_ = std::move(reports);
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.loss_scale(); }) loss_scale_ = object.loss_scale();
    });
  }

  /// The weights that workers are to read. Between steps.
  void set_readable(Readable readable) { readable_ = std::move(readable); }

  template <class Launch>
  void start(Launch const& launch, StepInfo const& step) {
    if (torn_ && !has_failed()) {  // who has failed is told why first
      throw TornStep(
          "the last step failed after some of its buckets had been applied: load a checkpoint, or restore "
          "the weights and call restored()");
    }
    if constexpr (!HostOrderedExecutor<E>) apply_scalars(home_, AdvanceStepClock{clock_.data()});
    try {
      launch.start(*this, step);
    } catch (...) {
      set_clock(step.number);
      throw;
    }
    finishing_ += reports_->workers();
    home_.submit([this, target = finishing_](E const& point) {
      // When all workers have finished, all buckets have been handed out and `end_` has been announced. On a
      // device that is so already: the models were called by `start`.
      finished_->wait_for(target);
      point.wait(end_);
    });
    mark_passed();
  }

  /// What comes later on the caller's stream, such as a new learning rate, follows what the stages have
  /// enqueued so far.
  void join() {
    stream_.record(end_);
    home_.wait(end_);
  }

  /// What was enqueued on the caller's stream so far refers to this object.
  void mark_passed() { home_.record(passed_); }

  /// Blocks until every step started so far has ended. On a device it is the events of captured steps that
  /// tell nothing, so it is a new mark that is waited for; and since work there does not end by itself when a
  /// rank is missing, the stages look after it.
  void finish() {
    if constexpr (HostOrderedExecutor<E>) {
      home_.synchronize(passed_);
    } else {
      mark_passed();
      if constexpr (StageChain<E, Real, Stages...>::is_watched) {
        while (!has_failed() && !home_.reached(passed_)) {
          watch();
          std::this_thread::sleep_for(std::chrono::microseconds(20));
        }
      }
      home_.synchronize(passed_);
    }
  }

  /// One look at whether what was enqueued can end; if not, that is the failure.
  void watch() noexcept {
    attempt(StepFailure::in_a_stage, [&] { look(); });
  }

  /// Blocks until what the stages have enqueued so far has run, or cannot end. Between steps. Errors: what it
  /// threw, or why it cannot.
  void synchronize() {
    if constexpr (!HostOrderedExecutor<E> && StageChain<E, Real, Stages...>::is_watched) {
      stream_.record(end_);
      for (bool has_ended = stream_.reached(end_); !has_ended;) {
        std::this_thread::sleep_for(std::chrono::microseconds(20));
        has_ended = stream_.reached(end_);
        look();  // at the end, too: what was aborted has ended as well
      }
    }
    stream_.synchronize();
  }

  /// Blocks until the stream of the stages has got here, whatever it threw.
  void drain() {
    stream_.record(end_);
    stream_.synchronize(end_);
  }

  bool has_failed() const noexcept override { return failure_.present(); }
  bool is_torn() const noexcept { return torn_; }
  std::exception_ptr take_failure() { return failure_.take(); }
  void forget_failure() {
    failure_.take();
    torn_ = false;
  }

  /// How many steps have taken effect, and of how many samples. Between steps.
  std::uint64_t steps() const { return steps_; }
  std::uint64_t consumed() const { return consumed_; }
  void set_position(std::uint64_t steps, std::uint64_t consumed) {
    steps_ = steps;
    consumed_ = consumed;
    set_clock(steps);
  }

  /// Counts steps that replays of the captured one have run.
  void count_replays(std::uint64_t steps) {
    steps_ += steps;
    consumed_ += steps * captured_samples_;
  }

  ViewOn<Real const, E> weights(std::size_t worker, std::size_t parameter) const override {
    return readable_[worker][parameter];
  }

  double const* loss_scale() const override { return loss_scale_; }

  StepClock const* clock() const noexcept override { return clock_.data(); }

  void ready(WorkerGradient<E> const& gradient) override {
    std::optional<WorkerGradient<E>> result;
    attempt(gradient.worker, [&] { result = chain_.on_worker(gradient); });
    if (gradient.micro_batch + 1 != gradient.step.micro_batches) return;
    attempt(gradient.worker, [&] { reports_->keep(gradient, result); });
    arrive(gradient.bucket, gradient.step);
  }

  void finished(E const& point, std::size_t worker, StepInfo const& step) override {
    auto const finished = finished_;  // once all workers have advanced it, this object may be destroyed
    attempt(worker, [&] { reports_->finish(point, worker); });
    arrive(reports_->tail(), step);
    finished->advance();
  }

  void failed(std::size_t worker, std::exception_ptr failure) noexcept override {
    if (!failure_.keep(worker, std::move(failure))) return;
    chain_.for_each([](auto& object) {
      if constexpr (requires { object.abort(); }) object.abort();
    });
  }

  void stop() noexcept { failed(StepFailure::in_a_stage, std::make_exception_ptr(StepStopped{})); }

  SpanSink* spans() const noexcept override { return options_.spans; }
  std::size_t rank() const noexcept override { return options_.rank; }

 private:
  /// Whatever fails, the step goes on to its end, where everyone waits for it.
  template <class Function>
  bool attempt(std::size_t worker, Function const& f) noexcept {
    try {
      f();
      return true;
    } catch (...) {
      failed(worker, std::current_exception());
      return false;
    }
  }

  void look() {
    chain_.for_each([](auto& object) {
      if constexpr (requires { object.watch(); }) object.watch();
    });
  }

  void arrive(std::size_t bucket, StepInfo const& step) {
    reports_->arrive(bucket, [&](std::size_t due) { hand_out(due, step); });
  }

  /// Called in bucket order, by the worker whose report made the bucket due.
  void hand_out(std::size_t bucket, StepInfo const& step) {
    bool const is_last = bucket == reports_->tail();
    bool const is_enqueued = attempt(StepFailure::in_a_stage, [&] {
      stream_.submit([this, bucket, step, is_last](E const& point) {
        attempt(StepFailure::in_a_stage, [&] { reports_->wait_for_workers(point, bucket); });
        if (is_last) {
          attempt(StepFailure::in_a_stage, [&] { end_step(point, step); });
        } else if (!has_failed()) {
          attempt(StepFailure::in_a_stage, [&] { run_stages(point, bucket, step); });
        }
      });
    });
    if (!is_last) return;
    if (!is_enqueued) torn_ = true;
    // On the stream's own handle, not on `point`: announced here, before the caller's stream waits for it.
    attempt(StepFailure::in_a_stage, [&] { stream_.record(end_); });
  }

  void run_stages(E const& point, std::size_t bucket, StepInfo step) {
    if (bucket == 0) samples_ = step.samples != 0 ? step.samples : count_samples(point, step);
    step.samples = samples_;
    if (bucket == 0) {
      chain_.for_each([&](auto& object) {
        if constexpr (requires { object.begin_step(point, step); }) object.begin_step(point, step);
      });
    }
    if (auto const gradient = reports_->gather(point, bucket, step)) chain_.on_device(*gradient);
    if (bucket + 1 != reports_->tail()) return;
    chain_.release(point, step);
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.end_step(point, step); }) object.end_step(point, step);
    });
    is_complete_ = true;
  }

  /// For a source that knows only the samples of its own rank.
  std::size_t count_samples(E const& point, StepInfo const& step) {
    auto const gradient = reports_->gather(point, 0, step);
    std::size_t samples = gradient ? gradient->samples : 0;
    chain_.for_each([&](auto& object) {
      if constexpr (requires { object.sum_samples(point, std::uint64_t{}); })
        samples = object.sum_samples(point, samples);
    });
    return samples;
  }

  void end_step(E const& point, StepInfo const& step) {
    bool const has_updated = chain_.end_step();
    if (!std::exchange(is_complete_, false)) {
      chain_.for_each([&](auto& object) {
        if constexpr (requires { object.cancel_step(point); }) object.cancel_step(point);
      });
      if (has_updated) torn_ = true;
      return;
    }
    if (is_being_captured(point)) {
      captured_samples_ = samples_;
      return;
    }
    steps_ = step.number + 1;
    consumed_ += samples_;
  }

  void set_clock(std::uint64_t next) {
    if constexpr (!HostOrderedExecutor<E>) apply_scalars(home_, SetStepClock{clock_.data(), next});
  }

  E home_;
  E stream_;
  std::size_t buckets_;
  typename E::event_type end_;     // on stream_: the step's last bucket has been dealt with
  typename E::event_type passed_;  // on home_: the step is over for the caller
  BindOptions options_;
  Readable readable_;
  double const* loss_scale_ = nullptr;
  Buffer<StepClock, E> clock_;  // on a device only
  StepFailure failure_;
  std::atomic<bool> torn_ = false;
  StageChain<E, Real, Stages...> chain_;
  Reports reports_;

  Progress::Count finishing_ = 0;
  std::shared_ptr<Progress> const finished_ = std::make_shared<Progress>();  // workers, of all steps together

  // Of the step under way, and of all before it; written by stream_.
  bool is_complete_ = false;
  std::size_t samples_ = 0;
  std::size_t captured_samples_ = 0;
  std::atomic<std::uint64_t> steps_ = 0;
  std::atomic<std::uint64_t> consumed_ = 0;
};

}  // namespace weir::inline v1
