#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/smaller.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/check_pipeline.hpp"
#include "weir/pipeline/drop_backwards.hpp"
#include "weir/pipeline/edge_sparsifier.hpp"
#include "weir/pipeline/insert_predict.hpp"
#include "weir/pipeline/insert_recompute.hpp"
#include "weir/pipeline/insert_updates.hpp"
#include "weir/pipeline/issue_order.hpp"
#include "weir/pipeline/payload_hash.hpp"
#include "weir/pipeline/pipeline_checkpoint.hpp"
#include "weir/pipeline/pipeline_clocks.hpp"
#include "weir/pipeline/pipeline_lane.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_planner.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/pipeline_run.hpp"
#include "weir/pipeline/pipeline_traffic.hpp"
#include "weir/pipeline/pipeline_units.hpp"
#include "weir/pipeline/pipeline_watch.hpp"
#include "weir/pipeline/pipeline_weights.hpp"
#include "weir/pipeline/replay_log.hpp"
#include "weir/pipeline/stage_micro.hpp"
#include "weir/stage/checkpoint.hpp"
#include "weir/state/archive.hpp"
#include "weir/tensor/buffer.hpp"

namespace weir::inline v1::detail {

/// The parts of a pipeline that do not depend on the model: channels, weights, and what surrounds the calls
/// of stages.
///
/// Where the executor's streams are the device's, one thread issues the work of all workers, and what waits
/// for weights or messages are the streams.
template <Executor E, class Real, PipelineTransportOn<E> Transport>
class PipelineCore {
  using Traffic = PipelineTraffic<E, Real, Transport>;
  using Lane = typename Traffic::Lane;

 public:
  static constexpr bool is_issued = Traffic::is_issued;
  /// Whether work waits on a device for another process.
  static constexpr bool is_watched = Traffic::is_carried;

  template <class Versions>
  PipelineCore(E const& executor, TableView const& table, PipelineOptions options, Versions const& versions,
               Transport transport, bool predicts = false, EdgeSparsifier<E, Real> const& sparsifier = {})
      : executor_(executor),
        start_(executor.make_event()),
        options_((check_pipeline(table, options, is_issued, !sparsifier.is_none()), std::move(options))),
        lanes_(lane_map_of<E>(transport, table)),
        program_(insert_updates(
                     insert_recompute(predicts ? insert_predict(table).view() : table, options_.recompute)),
                 lanes_, options_.skip_edges, options_.recompute, is_issued,
                 activation_bytes<Real>(lanes_, options_)),
        watch_(table.workers(), options_.watchdog, Traffic::interval, &lanes_),
        traffic_(executor_, table, lanes_, options_, watch_, std::move(transport), most_issued(table),
                 sparsifier),
        units_([this](std::uint32_t worker) -> E const& { return executor_of(worker); }, program_.table(),
               lanes_, options_, versions, watch_, predicts, Traffic::is_remote),
        weights_(units_, watch_),
        planner_(options_),
        clocks_(executor_, lanes_, [this](std::uint32_t worker) -> E const& { return executor_of(worker); }) {
    if (options_.log != nullptr) options_.log->open(table.workers());
    for (std::uint32_t lane = 0; lane < lanes_.lanes(); ++lane) {
      if (!lanes_.is_here(lane)) continue;
      auto& info = traffic_.lane(lane).info;
      info.parameters = units_.places(lane);
      info.touched.resize(info.parameters.size());
    }
  }

  /// After which nothing is allocated any more. `other` is run instead of the program at times.
  void allocate(PipelineProgram const& other) {
    auto const records = [&](std::size_t lane) {
      return std::size_t{program_.records(lane) > other.records(lane) ? program_.records(lane)
                                                                      : other.records(lane)};
    };
    traffic_.allocate(records);
    traffic_.allocate_gradients(units_);
    traffic_.list_arrivals(program_, false);
    traffic_.list_arrivals(other, true);
    for (std::uint32_t lane = 0; lane < lanes_.lanes(); ++lane) {
      if (!lanes_.is_here(lane)) continue;
      std::uint32_t const stage = lanes_.stage(lane);
      traffic_.lane(lane).is_recomputed = recomputes(options_.recompute, stage, lanes_.stages());
      traffic_.lane(lane).allocate(records(lane), units_.periods(), options_.stages[stage].generator_bytes);
    }
    for (std::uint32_t worker = 0; worker < program_.table().workers(); ++worker) {
      if (lanes_.has_worker(worker))
        allocate_activations(worker, larger(program_.places(worker), other.places(worker)));
    }
  }

  E const& executor() const { return executor_; }
  E const& executor_of(std::uint32_t worker) const { return traffic_.executor_of(worker); }
  typename E::event_type const& start_event() const { return start_; }
  PipelineOptions const& options() const { return options_; }
  LaneMap const& lanes() const { return lanes_; }
  PipelineProgram const& program() const { return program_; }
  PipelineWatch& watch() { return watch_; }
  PipelineUnits<E, Real>& units() { return units_; }
  PipelineUnits<E, Real> const& units() const { return units_; }
  PipelineWeights<E, Real>& weights() { return weights_; }
  Traffic& traffic() { return traffic_; }

  /// What has been taken of the executors. Units: bytes.
  std::size_t workspace_bytes() const {
    std::size_t bytes = traffic_.workspace_bytes() + clocks_.workspace_bytes();
    for (auto const& memory : activations_) bytes += memory.size();
    for (std::size_t unit = 0; unit < units_.size(); ++unit) bytes += units_[unit].workspace_bytes();
    return bytes;
  }

  PipelineRun plan_run(std::size_t samples, std::size_t samples_of_all = 0) {
    return planner_.training(program_.table(), samples, samples_of_all);
  }
  PipelineRun plan_evaluation(std::size_t samples) { return planner_.evaluation(program_.table(), samples); }

  /// At the begin and at the end of a run, where one thread issues it.
  void begin(PipelineRun const& run) {
    traffic_.begin(run);
    if constexpr (is_issued) {
      if (!is_being_captured(executor_)) clocks_.set(run.first_version);
      clocks_.advance();
    }
  }
  void end(PipelineRun const& run) {
    traffic_.join(executor_);
    for (std::size_t unit = 0; unit < units_.size(); ++unit) {
      std::uint64_t const updates = units_[unit].completed();
      if (updates > run.first_version) units_[unit].wait_for_update(updates, executor_);
    }
    if (run.is_evaluation) clocks_.set(run.first_version);
  }

  /// Errors: `ContractViolation` for runs of which each needs to know which one it is.
  void check_capture() {
    bool is_even = program_.table().synchronous() && options_.flushes_per_update == 1;
    for (std::size_t unit = 0; unit < units_.size(); ++unit)
      is_even = is_even && units_[unit].versions() == 1;
    if (!options_.loss_weight.is_one())
      throw ContractViolation(
          "this pipeline cannot be captured: the graph would have the loss weights of the captured run only; "
          "weights that a model's kernels read would be right");
    if (is_even) return;
    throw ContractViolation(
        "this pipeline cannot be captured: a schedule with a flush, an update after each, and one version of "
        "the weights would be right");
  }
  /// A run was captured: nothing has happened. Errors: rethrows its failure.
  void forget(PipelineRun const& run) {
    go_on_from(run.first_version);
    if (!watch_.is_stopped()) return;
    auto const failure = watch_.take_failure();
    traffic_.clear();
    watch_.reset();
    std::rethrow_exception(failure);
  }
  /// Runs were replays of a captured one.
  void count_replays(std::uint64_t runs) { go_on_from(updates() + runs); }

  /// What a stage is called with.
  StageCall<E, Real> call(PipelineRun const& run, PipelineStep const& step, E const& point,
                          std::size_t samples, LossSum& loss) {
    Lane& state = traffic_.lane(step.lane);
    Operation const& operation = step.operation;
    StageCall<E, Real> call{.executor = point, .lane = state.info};
    TableView const table = program_.table();
    std::size_t const in_update = table.synchronous() ? table.micro_batches() : table.period();
    call.samples = samples;
    call.local_batch = options_.local_batch;
    call.index = operation.micro_batch % in_update + run.flush * in_update;
    call.global_index = options_.replica * in_update * options_.flushes_per_update + call.index;
    call.step = run.first_version + operation.period;
    call.seed = options_.seed;
    call.loss_weight = options_.loss_weight;
    call.first_version = run.first_version;
    call.version = operation.version;
    call.period = operation.period;
    call.is_recompute = operation.kind == OperationKind::recompute;
    call.is_evaluation = run.is_evaluation;
    call.clock = clocks_.at(lanes_.places()[lanes_.worker(step.lane)]);
    call.saved = state.activations + step.place;
    call.loss = &loss;
    return call;
  }

  /// Waits for the weights and makes room for the output.
  void before_forward(PipelineRun const& run, PipelineProgram const& program, PipelineStep const& step,
                      std::size_t worker, StageCall<E, Real>& call, bool has_call) {
    Lane& state = traffic_.lane(step.lane);
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    if (has_call) weights_.wait(run, step, worker, call.executor);
    call.input = record.input.data;
    for (std::size_t k = 0; k < state.skips_in.size(); ++k) state.skip_data[k] = record.skip_inputs[k].data;
    call.skip_inputs = state.skip_data.data();
    if (call.is_recompute) {
      call.output = state.scratch;
    } else if (state.to_next != nullptr) {
      bool const passes_on = state.info.is_empty && record.input.home != nullptr;
      record.output = passes_on ? std::exchange(record.input, PipelineMessage{})
                                : traffic_.take(*state.to_next, worker, call.executor);
      call.output = record.output.data;
    }
  }

  void after_forward(PipelineRun const& run, PipelineProgram const& program, PipelineStep const& step,
                     std::size_t worker, StageCall<E, Real> const& call) {
    Lane& state = traffic_.lane(step.lane);
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    for (std::size_t k = 0; k < state.skips_out.size(); ++k) {
      record.skip_outputs[k] = traffic_.take(*state.skips_out[k].forward, worker, call.executor);
      for_each_tensor<E, Real>(*state.info.outputs, call.samples, record.output.data,
                               record.skip_outputs[k].data,
                               [&](auto from, auto to) { copy(call.executor, from, to); });
    }
    if (run.is_evaluation) release_inputs(record, worker, call.executor);
  }

  /// Adds what came along skip edges to the gradient of the output, and makes room for that of the input.
  void before_backward(PipelineProgram const& program, PipelineStep const& step, std::size_t worker,
                       StageCall<E, Real>& call) {
    Lane& state = traffic_.lane(step.lane);
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    bool const gives_input = gives_input_gradient(step.operation);
    call.input = record.input.data;
    for (std::size_t k = 0; k < state.skips_in.size(); ++k) state.skip_data[k] = record.skip_inputs[k].data;
    call.skip_inputs = state.skip_data.data();
    if (gives_input) add_skip_gradients(state, record, worker, call);
    call.output_gradient = record.output_gradient.data;
    if (!gives_input) return;
    if (state.to_before != nullptr) {
      bool const passes_on = state.info.is_empty && record.output_gradient.home != nullptr;
      record.input_gradient = passes_on ? std::exchange(record.output_gradient, PipelineMessage{})
                                        : traffic_.take(*state.to_before, worker, call.executor);
      call.input_gradient = record.input_gradient.data;
    }
    for (std::size_t k = 0; k < state.skips_in.size(); ++k) {
      record.skip_input_gradients[k] = traffic_.take(*state.skips_in[k].backward, worker, call.executor);
      state.skip_gradient_data[k] = record.skip_input_gradients[k].data;
    }
    call.skip_gradients = state.skip_gradient_data.data();
  }

  /// Where the state of a stage's generator is kept from its forward to its recomputation; null: not needed.
  std::vector<std::byte>* generator_state(PipelineProgram const& program, PipelineStep const& step) {
    Lane& state = traffic_.lane(step.lane);
    if (!state.is_recomputed) return nullptr;
    return &state.records[program.record(step.lane, step.operation.micro_batch)].generator;
  }

  GradientScope<E, Real> gradient(PipelineStep const& step, StageCall<E, Real>& call) {
    return {traffic_.lane(step.lane), call};
  }

  /// After the last use of what came in, it goes.
  void after_backward(PipelineProgram const& program, PipelineStep const& step, std::size_t worker,
                      StageCall<E, Real> const& call) {
    if (!gives_weight_gradient(step.operation)) return;
    Lane& state = traffic_.lane(step.lane);
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    state.periods[step.operation.period].samples += call.samples;
    release_inputs(record, worker, call.executor);
    traffic_.release(record.output_gradient, worker, call.executor);
  }

  /// Logs what a stage was given and has given, or compares it with the log.
  void note(PipelineRun const& run, PipelineStep const& step, std::size_t worker,
            StageCall<E, Real> const& call) {
    if (options_.log == nullptr || run.is_evaluation) return;
    auto const [taken, given] = hashes_of(step.operation, call);
    options_.log->add(worker,
                      {run.number, step.operation, run.first_version + step.operation.version, taken, given});
  }

  /// The gradients of a period are complete.
  void update(PipelineRun const& run, PipelineStep const& step, std::size_t worker, E const& point) {
    std::uint32_t const period = step.operation.period;
    if (!run.is_update || period >= run.periods) return;
    Lane& state = traffic_.lane(step.lane);
    auto const count = std::exchange(state.periods[period], {});
    if (count.gradients == 0) {
      // No forward has waited for the update whose gradients lie there.
      for (auto const& member : units_.of_lane(step.lane)) {
        std::uint64_t const number = run.first_version + period;
        weights_.wait_for_updates(run, *member.unit, number < member.delay ? 0 : number - member.delay,
                                  worker, point);
      }
      StageCall<E, Real> call{.executor = point, .lane = state.info};
      call.first_version = run.first_version;
      call.period = period;
      for (std::uint8_t& touched : state.info.touched) touched = 0;
      GradientScope<E, Real>{state, call}.clear_untouched();
    }
    std::size_t const micro_batches = planner_.micro_batches(program_.table(), run, period);
    for (auto const& member : units_.of_lane(step.lane)) {
      std::size_t const samples = member.counts_samples ? count.samples : 0;
      traffic_.send_gradient(run, step, *member.unit, {samples, micro_batches}, worker, point);
      member.unit->tell_samples(run.first_version + period,
                                planner_.samples_of_all(program_.table(), run, period));
      member.unit->arrive(run.first_version + period, member.contributor, samples, micro_batches, point);
    }
  }

  /// Between runs.
  PipelineCheckpoint checkpoint() {
    TableView const table = program_.table();
    PipelineCheckpoint saved{.seed = options_.seed,
                             .micro_batches = table.synchronous()
                                                  ? table.micro_batches() * options_.flushes_per_update
                                                  : table.period(),
                             .local_batch = options_.local_batch,
                             .replica = options_.replica};
    for (std::size_t unit = 0; unit < units_.size(); ++unit) {
      saved.stages.push_back(units_.first_stage(unit));
      saved.delays.push_back(units_[unit].delay());
    }
    traffic_.for_each_selection([&](auto const& selection, std::string const& name) {
      saved.selections += (saved.selections.empty() ? "" : ", ") + name + ": " + selection.text();
    });
    return saved;
  }

  std::uint64_t updates() const { return planner_.updates(program_.table()); }

  /// What is kept of tensors that were not sent whole, by the way that they take.
  void save_selections(Archive& archive) {
    traffic_.for_each_selection([&](auto const& selection, std::string const& name) {
      selection.save(archive, selection_prefix(name));
    });
  }
  /// Errors: `ArchiveError` where something that an archive has of a way does not fit.
  void check_selections(Archive const& archive, LoadOptions options) {
    traffic_.for_each_selection([&](auto const& selection, std::string const& name) {
      if (options.strict || is_saved(archive, name))
        selection.check(archive, selection_prefix(name), options);
    });
  }
  /// What the archive does not know of starts anew.
  void load_selections(Archive const& archive) {
    traffic_.for_each_selection([&](auto& selection, std::string const& name) {
      if (is_saved(archive, name)) {
        selection.load(archive, selection_prefix(name));
      } else {
        selection.restart();
      }
    });
  }

  /// Makes a pipeline ready again, after so many updates. `has_failed`: an update has, of which no worker
  /// need have heard. When no worker is at work and no update under way.
  void reset(std::uint64_t updates, bool has_failed) {
    bool const is_anew = has_failed || watch_.is_stopped() || traffic_.has_failed_elsewhere();
    traffic_.clear();
    if (is_anew) {
      planner_.number_anew();
      // Part of what they keep is of messages that nobody got.
      traffic_.for_each_selection([](auto& selection, std::string const&) { selection.restart(); });
    }
    watch_.reset();
    planner_.go_on_from(updates);
    clocks_.set(updates);
  }

 private:
  static std::string selection_prefix(std::string const& name) { return "sent " + name + "."; }
  static bool is_saved(Archive const& archive, std::string const& name) {
    return archive.contains(selection_prefix(name) + "element", 0);
  }

  /// The lanes of a worker share their memory, and what is behind it for the output of a recomputation.
  void allocate_activations(std::uint32_t worker, std::size_t bytes) {
    std::size_t scratch = 0;
    auto const for_each_lane = [&](auto const& f) {
      for (std::uint32_t lane = 0; lane < lanes_.lanes(); ++lane) {
        if (lanes_.worker(lane) == worker) f(traffic_.lane(lane));
      }
    };
    for_each_lane([&](Lane const& lane) {
      if (options_.recompute == Recompute::never || lane.info.outputs == nullptr) return;
      scratch = larger(scratch, lane.info.outputs->bytes);
    });
    activations_.emplace_back(executor_of(worker), bytes + scratch);
    for_each_lane([&](Lane& lane) {
      lane.activations = activations_.back().data();
      lane.scratch = lane.activations + bytes;
    });
  }

  void go_on_from(std::uint64_t updates) {
    planner_.go_on_from(updates);
    for (std::size_t unit = 0; unit < units_.size(); ++unit) units_[unit].set_count(updates);
  }

  void release_inputs(LaneRecord& record, std::size_t worker, E const& point) {
    traffic_.release(record.input, worker, point);
    for (PipelineMessage& message : record.skip_inputs) traffic_.release(message, worker, point);
  }

  /// The part of the next stage comes first, then those of skip edges by ascending stage.
  void add_skip_gradients(Lane& state, LaneRecord& record, std::size_t worker,
                          StageCall<E, Real> const& call) {
    for (PipelineMessage& message : record.skip_gradients) {
      for_each_tensor<E, Real>(*state.info.output_gradients, call.samples, message.data,
                               record.output_gradient.data,
                               [&](auto part, auto sum) { add_scaled(call.executor, part, Real(1), sum); });
      traffic_.release(message, worker, call.executor);
    }
  }

  std::uint32_t most_issued(TableView const& table) const {
    if constexpr (!is_issued) return 0;
    std::uint32_t const evaluated = IssueOrder(drop_backwards(table), options_.skip_edges).load();
    std::uint32_t const trained = program_.issue_order().load();
    return trained > evaluated ? trained : evaluated;
  }

  E executor_;
  typename E::event_type start_;
  PipelineOptions options_;
  LaneMap lanes_;
  PipelineProgram program_;
  PipelineWatch watch_;
  std::vector<Buffer<std::byte, E>> activations_;
  Traffic traffic_;
  PipelineUnits<E, Real> units_;
  PipelineWeights<E, Real> weights_;
  RunPlanner planner_;
  PipelineClocks<E> clocks_;
};

}  // namespace weir::inline v1::detail
