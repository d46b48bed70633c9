#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/insert_predict.hpp"
#include "weir/pipeline/insert_recompute.hpp"
#include "weir/pipeline/insert_updates.hpp"
#include "weir/pipeline/payload_hash.hpp"
#include "weir/pipeline/pipeline_checkpoint.hpp"
#include "weir/pipeline/pipeline_lane.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_planner.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/pipeline_run.hpp"
#include "weir/pipeline/pipeline_traffic.hpp"
#include "weir/pipeline/pipeline_units.hpp"
#include "weir/pipeline/pipeline_watch.hpp"
#include "weir/pipeline/predicted.hpp"
#include "weir/pipeline/replay_log.hpp"
#include "weir/pipeline/stage_micro.hpp"

namespace weir::inline v1::detail {

/// The parts of a pipeline that do not depend on the model: channels, weights, and what surrounds the calls
/// of stages.
template <HostOrderedExecutor E, class Real, PipelineTransport Transport>
class PipelineCore {
  using Traffic = PipelineTraffic<E, Real, Transport>;
  using Lane = typename Traffic::Lane;

 public:
  template <class Versions>
  PipelineCore(E const& executor, TableView const& table, PipelineOptions options, Versions const& versions,
               Transport transport, bool predicts = false)
      : executor_(executor),
        start_(executor.make_event()),
        options_((check_pipeline(table, options), std::move(options))),
        lanes_(table, Traffic::workers_here(transport, table.workers())),
        program_(insert_updates(
                     insert_recompute(predicts ? insert_predict(table).view() : table, options_.recompute)),
                 lanes_, options_.skip_edges, options_.recompute),
        watch_(table.workers(), options_.watchdog, Traffic::interval, &lanes_),
        traffic_(table, lanes_, options_, watch_, std::move(transport)),
        units_(executor, program_.table(), lanes_, options_, versions, watch_, predicts),
        planner_(options_) {
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
    traffic_.allocate(executor_, records);
    traffic_.list_arrivals(program_, false);
    traffic_.list_arrivals(other, true);
    for (std::uint32_t lane = 0; lane < lanes_.lanes(); ++lane) {
      if (!lanes_.is_here(lane)) continue;
      std::uint32_t const places = program_.places(lane);
      prepare(traffic_.lane(lane), records(lane), places > other.places(lane) ? places : other.places(lane));
    }
  }

  E const& executor() const { return executor_; }
  typename E::event_type const& start_event() const { return start_; }
  PipelineOptions const& options() const { return options_; }
  LaneMap const& lanes() const { return lanes_; }
  PipelineProgram const& program() const { return program_; }
  PipelineWatch& watch() { return watch_; }
  PipelineUnits<E, Real>& units() { return units_; }
  PipelineUnits<E, Real> const& units() const { return units_; }
  Traffic& traffic() { return traffic_; }

  PipelineRun plan_run(std::size_t samples) { return planner_.training(program_.table(), samples); }
  PipelineRun plan_evaluation(std::size_t samples) { return planner_.evaluation(program_.table(), samples); }

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
    call.first_version = run.first_version;
    call.version = operation.version;
    call.period = operation.period;
    call.is_recompute = operation.kind == OperationKind::recompute;
    call.is_evaluation = run.is_evaluation;
    call.saved = state.memory[0].data() + step.place * state.distance;
    call.loss = &loss;
    return call;
  }

  /// Lets the store make what stands for late weights in a period.
  template <class Store>
  void predict(PipelineRun const& run, PipelineStep const& step, std::size_t worker, E const& point,
               Store const& store) {
    Operation const& operation = step.operation;
    if (operation.period >= run.periods) return;
    wait_for_weights(run, step, worker);
    for (auto const& member : units_.of_lane(step.lane)) {
      auto const& unit = *member.unit;
      for (std::size_t p = 0; unit.predicts() && p < unit.plan().parameters(); ++p) {
        store.predict(point,
                      Prediction{.stage = operation.stage,
                                 .parameter = p,
                                 .version = run.first_version + operation.version,
                                 .steps = operation.period - operation.version},
                      unit.weights(run.first_version + operation.version, p),
                      unit.predicted(run.first_version + operation.period, p));
      }
    }
  }

  /// Waits for the weights and makes room for the output.
  void before_forward(PipelineRun const& run, PipelineProgram const& program, PipelineStep const& step,
                      std::size_t worker, StageCall<E, Real>& call, bool has_call) {
    Lane& state = traffic_.lane(step.lane);
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    if (has_call) wait_for_weights(run, step, worker);
    call.input = record.input.data;
    for (std::size_t k = 0; k < state.skips_in.size(); ++k) state.skip_data[k] = record.skip_inputs[k].data;
    call.skip_inputs = state.skip_data.data();
    if (call.is_recompute) {
      call.output = state.scratch;
    } else if (state.to_next != nullptr) {
      bool const passes_on = state.info.is_empty && record.input.home != nullptr;
      record.output =
          passes_on ? std::exchange(record.input, PipelineMessage{}) : traffic_.take(*state.to_next);
      call.output = record.output.data;
    }
  }

  void after_forward(PipelineRun const& run, PipelineProgram const& program, PipelineStep const& step) {
    Lane& state = traffic_.lane(step.lane);
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    for (std::size_t k = 0; k < state.skips_out.size(); ++k) {
      record.skip_outputs[k] = traffic_.take(*state.skips_out[k].forward);
      std::memcpy(record.skip_outputs[k].data, record.output.data, record.output.bytes);
    }
    if (run.is_evaluation) release_inputs(record);
  }

  /// Adds what came along skip edges to the gradient of the output, and makes room for that of the input.
  void before_backward(PipelineProgram const& program, PipelineStep const& step, StageCall<E, Real>& call) {
    Lane& state = traffic_.lane(step.lane);
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    bool const gives_input = gives_input_gradient(step.operation);
    call.input = record.input.data;
    for (std::size_t k = 0; k < state.skips_in.size(); ++k) state.skip_data[k] = record.skip_inputs[k].data;
    call.skip_inputs = state.skip_data.data();
    if (gives_input) add_skip_gradients(state, record, call.samples);
    call.output_gradient = record.output_gradient.data;
    if (!gives_input) return;
    if (state.to_before != nullptr) {
      bool const passes_on = state.info.is_empty && record.output_gradient.home != nullptr;
      record.input_gradient = passes_on ? std::exchange(record.output_gradient, PipelineMessage{})
                                        : traffic_.take(*state.to_before);
      call.input_gradient = record.input_gradient.data;
    }
    for (std::size_t k = 0; k < state.skips_in.size(); ++k) {
      record.skip_input_gradients[k] = traffic_.take(*state.skips_in[k].backward);
      state.skip_gradient_data[k] = record.skip_input_gradients[k].data;
    }
    call.skip_gradients = state.skip_gradient_data.data();
  }

  GradientScope<E, Real> gradient(PipelineStep const& step, StageCall<E, Real>& call) {
    return {traffic_.lane(step.lane), call};
  }

  /// After the last use of what came in, it goes.
  void after_backward(PipelineProgram const& program, PipelineStep const& step, std::size_t samples) {
    if (!gives_weight_gradient(step.operation)) return;
    Lane& state = traffic_.lane(step.lane);
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    state.periods[step.operation.period].samples += samples;
    release_inputs(record);
    release(record.output_gradient);
  }

  /// Logs what a stage was given and has given, or compares it with the log.
  void note(PipelineRun const& run, PipelineStep const& step, std::size_t worker,
            StageCall<E, Real> const& call) {
    if (options_.log == nullptr || run.is_evaluation) return;
    auto const& lane = call.lane;
    bool const is_backward = !is_forward(step.operation) && !call.is_recompute;
    PayloadHash taken;
    PayloadHash given;
    taken.add(lane.inputs, call.input, call.samples, sizeof(Real));
    for (std::size_t k = 0; k < lane.skip_inputs.size(); ++k)
      taken.add(lane.skip_inputs[k], call.skip_inputs[k], call.samples, sizeof(Real));
    if (!is_backward) given.add(lane.outputs, call.output, call.samples, sizeof(Real));
    if (is_backward) {
      taken.add(lane.output_gradients, call.output_gradient, call.samples, sizeof(Real));
      given.add(lane.input_gradients, call.input_gradient, call.samples, sizeof(Real));
    }
    if (is_backward && gives_input_gradient(step.operation)) {
      for (std::size_t k = 0; k < lane.skip_gradients.size(); ++k)
        given.add(lane.skip_gradients[k], call.skip_gradients[k], call.samples, sizeof(Real));
    }
    options_.log->add(worker, {run.number, step.operation, run.first_version + step.operation.version,
                               taken.value(), given.value()});
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
        wait_for_updates(*member.unit, number < member.delay ? 0 : number - member.delay, worker);
      }
      StageCall<E, Real> call{.executor = point, .lane = state.info};
      call.first_version = run.first_version;
      call.period = period;
      for (std::uint8_t& touched : state.info.touched) touched = 0;
      GradientScope<E, Real>{state, call}.clear_untouched();
    }
    for (auto const& member : units_.of_lane(step.lane)) {
      member.unit->arrive(run.first_version + period, member.contributor,
                          member.counts_samples ? count.samples : 0, micro_batches_of(run, period));
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
    return saved;
  }

  std::uint64_t updates() const { return planner_.updates(program_.table()); }

  /// Makes a pipeline that has failed ready again, after so many updates. When no worker is at work and no
  /// update under way.
  void reset(std::uint64_t updates = 0) {
    traffic_.clear();
    watch_.reset();
    planner_.go_on_from(updates);
  }

 private:
  void prepare(Lane& state, std::size_t records, std::size_t places) {
    std::size_t const bytes = state.info.saved * options_.local_batch * sizeof(Real);
    state.distance = (bytes + 63) / 64 * 64;
    bool const has_scratch = options_.recompute != Recompute::never && state.info.outputs != nullptr;
    std::size_t const scratch = has_scratch ? state.info.outputs->bytes : 0;
    state.memory.emplace_back(executor_, places * state.distance + scratch);
    state.scratch = state.memory[0].data() + places * state.distance;
    state.records.resize(records);
    for (LaneRecord& record : state.records) {
      record.skip_inputs.resize(state.skips_in.size());
      record.skip_input_gradients.resize(state.skips_in.size());
      record.skip_outputs.resize(state.skips_out.size());
      record.skip_gradients.resize(state.skips_out.size());
    }
    state.skip_data.resize(state.skips_in.size());
    state.skip_gradient_data.resize(state.skips_in.size());
    state.periods.resize(units_.periods());
  }

  std::size_t micro_batches_of(PipelineRun const& run, std::uint32_t period) const {
    TableView const table = program_.table();
    if (table.synchronous()) return table.micro_batches() * options_.flushes_per_update;
    std::uint32_t const rest = run.micro_batches - period * table.period();
    return rest < table.period() ? rest : table.period();
  }

  void wait_for_weights(PipelineRun const& run, PipelineStep const& step, std::size_t worker) {
    for (auto const& member : units_.of_lane(step.lane)) {
      Operation const& operation = step.operation;
      std::uint32_t version = operation.version;
      if (member.is_tied && !run.is_evaluation)
        version = operation.period < member.delay ? 0 : operation.period - member.delay;
      wait_for_updates(*member.unit, run.first_version + version, worker);
    }
  }

  void wait_for_updates(ParameterUnit<E, Real> const& unit, std::uint64_t count, std::size_t worker) {
    watch_.wait(worker, WorkerWait::weights, nullptr,
                [&] { return unit.completed() >= count || unit.has_failed(); });
    if (!unit.has_failed()) return;
    watch_.fail(nullptr);  // the recipe keeps it
    throw PipelineStopped{};
  }

  static void release_inputs(LaneRecord& record) noexcept {
    release(record.input);
    for (PipelineMessage& message : record.skip_inputs) release(message);
  }

  /// The part of the next stage comes first, then those of skip edges by ascending stage.
  void add_skip_gradients(Lane& state, LaneRecord& record, std::size_t samples) {
    for (PipelineMessage& message : record.skip_gradients) {
      MessageLayout const& layout = *state.info.output_gradients;
      for (std::size_t k = 0; k < layout.elements.size(); ++k) {
        auto* const sum = reinterpret_cast<Real*>(record.output_gradient.data + layout.offsets[k]);
        auto const* const part = reinterpret_cast<Real const*>(message.data + layout.offsets[k]);
        for (std::size_t i = 0; i < layout.elements[k] * samples; ++i) sum[i] += part[i];
      }
      release(message);
    }
  }

  E executor_;
  typename E::event_type start_;
  PipelineOptions options_;
  LaneMap lanes_;
  PipelineProgram program_;
  PipelineWatch watch_;
  Traffic traffic_;
  PipelineUnits<E, Real> units_;
  RunPlanner planner_;
};

}  // namespace weir::inline v1::detail
