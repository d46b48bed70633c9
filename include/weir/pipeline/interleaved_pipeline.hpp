#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "weir/comm/stream_transport.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/bound_pipeline.hpp"
#include "weir/pipeline/drop_backwards.hpp"
#include "weir/pipeline/edge_sparsifier.hpp"
#include "weir/pipeline/operation_times.hpp"
#include "weir/pipeline/pipeline_core.hpp"
#include "weir/pipeline/pipeline_run.hpp"
#include "weir/pipeline/pipeline_stage.hpp"
#include "weir/pipeline/pipeline_workers.hpp"
#include "weir/pipeline/stage_calls.hpp"
#include "weir/pipeline/stage_micro.hpp"
#include "weir/pipeline/timeline.hpp"
#include "weir/pipeline/transport/events.hpp"
#include "weir/pipeline/transport/threads.hpp"
#include "weir/pipeline/weight_store.hpp"

namespace weir::inline v1 {

namespace detail {
template <class E>
using PipelineTransportFor = std::conditional_t<HostOrderedExecutor<E>, ThreadTransport, EventTransport<E>>;
}  // namespace detail

/// Runs the table of a pipeline schedule: one thread per worker, which does its operations one after another;
/// on a device one stream per worker, to which the caller's thread gives them in an `IssueOrder`.
/// A gradient source, whose parts each feed a recipe of their own:
/// `(LocalAggregator{} | Sgd{{.learning_rate = 0.1}}).on(pipe, weights)`.
///
/// Gradients of weights are added in the order of the table, so that every schedule of one direction gives
/// the bits of one worker; of two directions the sums are added, the forward one first. The update of a stage
/// starts after its last backward of the period, and only a forward that reads the new weights waits for it.
/// Where copies of a stage, or stages that share a parameter, are in several processes, each of these has the
/// weights and makes the update.
///
/// Streams: a run starts after the work already enqueued on the caller's executor. On a device stages enqueue
/// on `micro.executor()`, nothing blocks, and what is enqueued on the caller's executor later comes behind
/// the whole run with its updates; a run of a schedule with a flush can be captured, after a first one. Cost:
/// allocates when it is made and bound, then nothing; no thread is made later. Source: [huang2019] for the
/// idea; the tables have their own sources.
template <Executor E, class Real = float, WeightStore Store = Single,
          PipelineTransportOn<E> Transport = detail::PipelineTransportFor<E>>
class InterleavedPipeline {
  using Core = detail::PipelineCore<E, Real, Transport>;
  using Step = detail::PipelineStep;

 public:
  using executor_type = E;
  using real_type = Real;
  using Unit = ParameterUnit<E, Real>;

  /// The table is copied. `sparsifier` is of the stages whose codec is `EdgeCodec::sparse`. Errors:
  /// `ContractViolation` that names the rule which the table breaks, the stage whose layout does not fit, the
  /// versions that a store lacks, or the capacity that the transport lacks; `OutOfMemory`.
  InterleavedPipeline(E const& executor, TableView const& table, PipelineOptions options,
                      Store const& store = {}, Transport transport = Transport(),
                      std::type_identity_t<EdgeSparsifier<E, Real>> const& sparsifier = {})
      : core_(
            executor, table, std::move(options),
            [&](std::uint32_t stage) { return store.versions(stage, table.stages()); }, std::move(transport),
            predicts(), sparsifier),
        store_(store),
        evaluation_(drop_backwards(table), core_.lanes(), core_.options().skip_edges, Recompute::never,
                    Core::is_issued, detail::activation_bytes<Real>(core_.lanes(), core_.options())),
        workers_(executor) {
    core_.allocate(evaluation_);
    for (std::uint32_t worker = 0; worker < table.workers(); ++worker) {
      if (core_.lanes().has_worker(worker)) workers_.add(worker, core_.executor_of(worker));
    }
    losses_.resize(table.workers());
    if (core_.options().records_times) times_.resize(core_.program().table().operations().size());
  }

  InterleavedPipeline(InterleavedPipeline const&) = delete;
  InterleavedPipeline& operator=(InterleavedPipeline const&) = delete;

  ~InterleavedPipeline() { wait_for_workers(); }

  E const& executor() const { return core_.executor(); }
  /// Those of this process.
  std::size_t workers() const { return workers_.size(); }
  /// Those of the weights of this process.
  std::size_t parts() const { return core_.units().size(); }
  /// The stage of a part, of which the weights are; of a tied one the first stage, wherever that is.
  std::size_t stage_of(std::size_t unit) const { return core_.units().first_stage(unit); }
  std::size_t local_batch() const { return core_.options().local_batch; }
  std::uint64_t seed() const { return core_.options().seed; }

  /// Which messages between workers are not sent as they are, and in which form: "0F: half, 1B: half". Empty
  /// if none are.
  std::string codecs() { return core_.traffic().text_of_codecs(); }

  /// What it has taken from its executor, or those of its devices: messages, activations, gradients, what
  /// sparsifiers of edges keep, and once it is bound further versions of the weights. Not what is kept of
  /// generators that stages own. Units: bytes.
  std::size_t workspace_bytes() const { return core_.workspace_bytes(); }

  /// What is run, with its updates and recomputations.
  TableView table() const { return core_.program().table(); }

  /// When the operations of the latest run began and ended, in nanoseconds; if `records_times` was asked for.
  /// After `drain`.
  Timeline timeline() const { return {table(), times_.begins(), times_.ends(), 1'000'000}; }

  /// What the stages have reported since the last call. After `drain`.
  LossSum take_loss() {
    LossSum total;
    for (Loss& loss : losses_) {
      LossSum const taken = std::exchange(loss.sum, LossSum{});
      total.sum += taken.sum;
      total.samples += taken.samples;
    }
    return total;
  }

  /// A run, not yet started: give it to a bound pipeline.
  template <class Batch, class Model>
  struct Launch {
    InterleavedPipeline& pipe;
    Batch batch;
    Model& model;
    std::size_t samples_of_all_replicas = 0;
  };

  /// Describes a run on the samples of this replica, of which micro-batch j takes entries j * b to (j + 1) *
  /// b, cut at the end. `model` is one stage for all (its calls tell which by `stage()`), a list of stages,
  /// or a tuple of them. `samples_of_all_replicas`, the same on each and in all processes: of this run, those
  /// that are dropped left out; 0: as many on each as here. Where `PipelineOptions::replicas` does not say
  /// how many they are, the ranks exchange one integer for each update instead. Errors: `ContractViolation`
  /// for a `GeneratingStage` at which two workers would be.
  template <class Batch, class Model>
  [[nodiscard]] auto operator()(Batch batch, Model& model, std::size_t samples_of_all_replicas = 0) {
    static_assert(std::is_trivially_copyable_v<Batch> && sizeof(Batch) <= 32,
                  "a batch is a view that is copied to each worker: trivially copyable, of at most 32 bytes");
    using Samples = decltype(detail::piece_of(batch, std::declval<detail::PipelineRun const&>(), 0));
    if (detail::has_generator<StageMicro<E, Samples, Real>, Model>() && core_.lanes().directions() == 2)
      throw ContractViolation(
          "a stage with generator(micro) under a schedule of two directions, where two workers would draw "
          "from it at once: micro.random(site), or a schedule of one direction, would be right");
    return Launch<Batch, Model>{*this, batch, model, samples_of_all_replicas};
  }

  /// Refuses a temporary model.
  template <class Batch, class Model>
  void operator()(Batch, Model const&&, std::size_t = 0) {
    static_assert(sizeof(Model) == 0,
                  "this model is a temporary, which is gone before the workers call it: give it a name");
  }

  // For the bound pipeline.

  /// Binds a recipe to each part: `recipe_of(unit)` for the parts in order: the stages that have parameters,
  /// then the tied ones.
  template <class RecipeOf, class Views>
  auto bind_each(RecipeOf const& recipe_of, Views const& weights, BindOptions options = {}) {
    using Bound =
        decltype(recipe_of(std::size_t{})
                     .on(std::declval<Unit&>(), std::declval<std::vector<ViewOn<Real, E>>&>(), options));
    return BoundPipeline<InterleavedPipeline, Bound>(*this, recipe_of, weights, options);
  }
  template <class Recipe, class Views>
  auto bind(Recipe const& recipe, Views const& weights, BindOptions options = {}) {
    return bind_each([&](std::size_t) { return recipe; }, weights, options);
  }

  template <class Batch, class Model>
  void start(Launch<Batch, Model> const& launch) {
    bool const is_captured = is_being_captured(core_.executor());
    if (is_captured) core_.check_capture();
    detail::PipelineRun const run = core_.plan_run(launch.batch.size(), launch.samples_of_all_replicas);
    submit(launch, run, core_.program());
    if (is_captured) return core_.forget(run);
    cancel_if_failed();
  }

  template <class Batch, class Model>
  LossSum evaluate(Launch<Batch, Model> const& launch) {
    wait_for_workers();
    LossSum const kept = take_loss();
    submit(launch, core_.plan_evaluation(launch.batch.size()), evaluation_);
    cancel_if_failed();
    wait_for_workers();
    LossSum const result = take_loss();
    losses_[0].sum = kept;
    return result;
  }

  void wait_for_workers() noexcept {
    if constexpr (Core::is_watched) {
      wait_for_workers([] {});
    } else {
      workers_.finish(core_.executor());
    }
  }
  /// `look()` is called again and again on a device, and ends what hangs there.
  template <class Look>
  void wait_for_workers(Look const& look) noexcept {
    workers_.finish(core_.executor(), [&] {
      look();
      check();
    });
  }

  Core& core() { return core_; }

 private:
  static constexpr bool predicts() {
    if constexpr (requires { Store::predicts; }) return Store::predicts;
    return false;
  }

  struct alignas(64) Loss {
    LossSum sum;
  };

  template <class Batch, class Model>
  void submit(Launch<Batch, Model> const& launch, detail::PipelineRun const& run,
              detail::PipelineProgram const& program) {
    core_.begin(run);
    core_.executor().record(core_.start_event());
    for (auto const& worker : workers_) worker.executor.wait(core_.start_event());
    core_.traffic().start(core_.start_event());
    if constexpr (Core::is_issued) {
      issue(launch, run, program);
    } else {
      for (auto const& worker : workers_) {
        worker.executor.submit(
            [this, batch = launch.batch, &model = launch.model, run, &program,
             index = worker.index](E const& point) { work(batch, model, run, program, index, point); });
      }
    }
  }

  /// Ends what can never end by itself, as a failure of the run.
  void check() noexcept {
    try {
      if (!core_.watch().is_stopped()) core_.traffic().check();
    } catch (...) {
      core_.watch().fail(std::current_exception());
    }
    cancel_if_failed();
  }
  /// On a device, where no worker does it.
  void cancel_if_failed() noexcept {
    if (Core::is_issued && core_.watch().is_stopped()) core_.traffic().cancel();
  }

  /// Gives their work to all workers' streams; the caller's goes on behind them.
  template <class Batch, class Model>
  void issue(Launch<Batch, Model> const& launch, detail::PipelineRun const& run,
             detail::PipelineProgram const& program) {
    std::uint32_t worker = 0;
    try {
      auto const& entries = program.issue_order().entries();
      for (std::size_t i = 0; i < entries.size() && !core_.watch().is_stopped(); ++i) {
        if (E const* const point = workers_.find(entries[i].worker); point != nullptr) {
          worker = entries[i].worker;
          [[maybe_unused]] auto const scope = detail::device_scope(*point);
          do_slot(launch.batch, launch.model, run, program, worker, entries[i].first, *point);
        }
        core_.traffic().carry(run, program, i, worker);
      }
    } catch (detail::PipelineStopped const&) {
    } catch (...) {
      core_.watch().fail_at(worker);
    }
    for (auto const& each : workers_) {
      core_.watch().rest(each.index);
      each.executor.record(each.end);
      core_.executor().wait(each.end);
    }
    core_.end(run);
  }

  template <class Batch, class Model>
  void work(Batch const& batch, Model& model, detail::PipelineRun const& run,
            detail::PipelineProgram const& program, std::size_t worker, E const& point) {
    auto& watch = core_.watch();
    if (watch.is_stopped()) return;
    try {
      core_.traffic().begin(run, worker, point);
      for (std::size_t i = 0; i < program.worker(worker).size();)
        i = do_slot(batch, model, run, program, worker, i, point);
      core_.traffic().finish(worker);
      core_.traffic().check_left_over(worker, run.number);
    } catch (detail::PipelineStopped const&) {
    } catch (...) {
      watch.fail_at(worker);
    }
    if (watch.is_stopped()) core_.traffic().cancel();
    watch.rest(worker);
  }

  /// An operation, or a pair, which receives for both, then computes both, then sends for both. Returns the
  /// next one.
  template <class Batch, class Model>
  std::size_t do_slot(Batch const& batch, Model& model, detail::PipelineRun const& run,
                      detail::PipelineProgram const& program, std::size_t worker, std::size_t i,
                      E const& point) {
    auto& watch = core_.watch();
    auto const& steps = program.worker(worker);
    std::size_t const end = i + (steps[i].operation.kind == OperationKind::pair ? 2 : 1);
    for (std::size_t k = i; k < end; ++k) {
      watch.enter(worker, steps[k].operation);
      core_.traffic().receive(run, program, steps[k], worker, point);
    }
    std::int64_t const begin = times_.now(run);
    for (std::size_t k = i; k < end; ++k) {
      watch.enter(worker, steps[k].operation);
      compute(batch, model, run, program, steps[k], worker, point);
    }
    times_.keep(run, begin, steps[i].position, end - i);
    for (std::size_t k = i; k < end; ++k) {
      watch.enter(worker, steps[k].operation);
      core_.traffic().send(run, program, steps[k], worker, point);
    }
    watch.leave(worker);
    return end;
  }

  template <class Batch, class Model>
  void compute(Batch const& batch, Model& model, detail::PipelineRun const& run,
               detail::PipelineProgram const& program, Step const& step, std::size_t worker, E const& point) {
    Operation const& operation = step.operation;
    if (operation.kind == OperationKind::update) return core_.update(run, step, worker, point);
    if constexpr (predicts()) {
      if (operation.kind == OperationKind::predict)
        return core_.weights().predict(run, step, worker, point, store_);
    }
    bool const is_recompute = operation.kind == OperationKind::recompute;
    if (!is_compute(operation) && !is_recompute) return;
    auto const samples = detail::piece_of(batch, run, operation.micro_batch);
    auto call = core_.call(run, step, point, samples.size(), losses_[worker].sum);
    bool const has_call = samples.size() != 0 && !call.lane.is_empty;
    if (is_forward(operation) || is_recompute) {
      core_.before_forward(run, program, step, worker, call, has_call);
      if (has_call)
        detail::call_stage(model, call, samples, [&](auto& stage, auto& micro) {
          detail::run_forward(stage, micro,
                              run.is_evaluation ? nullptr : core_.generator_state(program, step));
        });
      if (has_call) core_.note(run, step, worker, call);
      if (!is_recompute) core_.after_forward(run, program, step, worker, call);
    } else {
      core_.before_backward(program, step, worker, call);
      if (has_call) {
        detail::call_stage(model, call, samples, [&](auto& stage, auto& micro) {
          detail::run_backward(stage, micro, operation.kind, core_.gradient(step, call));
        });
        core_.note(run, step, worker, call);
      }
      core_.after_backward(program, step, worker, call);
    }
  }

  Core core_;
  Store store_;
  detail::PipelineProgram evaluation_;
  std::vector<Loss> losses_;  // by worker
  detail::OperationTimes times_;
  detail::PipelineWorkers<E> workers_;  // the last member: their threads are joined before the memory goes
};

}  // namespace weir::inline v1
