#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "weir/core/error.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/fifo_order.hpp"
#include "weir/pipeline/pipeline_channels.hpp"
#include "weir/pipeline/pipeline_lane.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/pipeline_run.hpp"
#include "weir/pipeline/pipeline_watch.hpp"

namespace weir::inline v1::detail {

/// The lanes of a pipeline, and how messages get from one to another: at once where both are on one worker,
/// else by the transport.
template <Executor E, class Real, class Transport>
class PipelineTraffic {
 public:
  using Channels = PipelineChannels<E, Real>;
  using Channel = typename Channels::Channel;
  using Lane = LaneState<E, Real>;

  PipelineTraffic(TableView const& table, LaneMap const& lanes, PipelineOptions const& options,
                  PipelineWatch& watch, Transport transport)
      : options_(options),
        lanes_(lanes),
        watch_(watch),
        channels_(lanes, options),
        transport_(std::move(transport)),
        lane_states_(lanes.lanes()) {
    open_transport(table);
    for (std::uint32_t lane = 0; lane < lanes_.lanes(); ++lane) {
      if (lanes_.has(lane)) connect(lane);
    }
  }

  Lane& lane(std::size_t lane) { return lane_states_[lane]; }

  /// Takes the buffers of all messages. `records(lane)`: for how many micro-batches a lane holds some.
  template <class Records>
  void allocate(E const& executor, Records const& records) {
    channels_.allocate(
        executor, options_.stages, [&](std::size_t edge) { return std::size_t{transport_.capacity(edge)}; },
        records);
  }

  /// Takes in what the operation needs and other workers make.
  void receive(PipelineRun const& run, PipelineProgram const& program, PipelineStep const& step,
               std::size_t worker) {
    bool const is_ahead = is_forward(step.operation);
    if (!is_ahead && !gives_input_gradient(step.operation)) return;
    Lane& state = lane_states_[step.lane];
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    if (is_ahead) {
      fetch(state.from_before, run, step, worker, record.input);
      for (std::size_t k = 0; k < state.skips_in.size(); ++k)
        fetch(state.skips_in[k].forward, run, step, worker, record.skip_inputs[k]);
    } else {
      fetch(state.from_next, run, step, worker, record.output_gradient);
      for (std::size_t k = 0; k < state.skips_out.size(); ++k)
        fetch(state.skips_out[k].backward, run, step, worker, record.skip_gradients[k]);
    }
  }

  /// Hands on what the operation has made.
  void send(PipelineRun const& run, PipelineProgram const& program, PipelineStep const& step,
            std::size_t worker) {
    bool const is_ahead = is_forward(step.operation);
    if (!is_ahead && !gives_input_gradient(step.operation)) return;
    Lane& state = lane_states_[step.lane];
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    auto const hand_on = [&](typename Channels::Channel* channel, PipelineMessage& message,
                             auto const& place) {
      if (channel == nullptr) return;
      message.tag = tag(run, step, *channel, step.operation.stage);
      if (channel->edge == Channels::no_edge) {
        LaneRecord& other =
            lane_states_[channel->to].records[program.record(channel->to, step.operation.micro_batch)];
        place(lane_states_[channel->to], other) = std::exchange(message, PipelineMessage{});
      } else {
        post(*channel, worker, std::exchange(message, PipelineMessage{}));
      }
    };
    if (is_ahead) {
      hand_on(state.to_next, record.output,
              [](Lane&, LaneRecord& to) -> PipelineMessage& { return to.input; });
      for (std::size_t k = 0; k < state.skips_out.size(); ++k) {
        hand_on(state.skips_out[k].forward, record.skip_outputs[k],
                [&](Lane& lane, LaneRecord& to) -> PipelineMessage& {
                  return to.skip_inputs[lane.index_of(lane.skips_in, state.skips_out[k].link)];
                });
      }
    } else if (!run.is_evaluation) {
      hand_on(state.to_before, record.input_gradient,
              [](Lane&, LaneRecord& to) -> PipelineMessage& { return to.output_gradient; });
      for (std::size_t k = 0; k < state.skips_in.size(); ++k) {
        hand_on(state.skips_in[k].backward, record.skip_input_gradients[k],
                [&](Lane& lane, LaneRecord& to) -> PipelineMessage& {
                  return to.skip_gradients[lane.index_of(lane.skips_out, state.skips_in[k].link)];
                });
      }
    }
  }

  PipelineMessage take(Channel& channel) {
    return {
        .tag = {}, .data = channel.pool->take(), .bytes = channel.layout->bytes, .home = channel.pool.get()};
  }

  /// Forgets all that was under way. When no worker is at work.
  void clear() {
    transport_.clear();
    channels_.refill();
    for (Lane& state : lane_states_) state.forget();
  }

 private:
  void open_transport(TableView const& table) {
    bool const is_in_order = options_.skip_edges.empty() && fifo_order(table).per_edge;
    for (PipelineEdge& edge : channels_.edges()) edge.is_in_order = is_in_order;
    std::uint32_t const needed = min_edge_capacity(table, options_.skip_edges);
    transport_.open(channels_.edges(), needed);
    for (std::size_t edge = 0; edge < channels_.edges().size(); ++edge) {
      std::uint32_t const capacity = transport_.capacity(edge);
      if (capacity < needed || capacity == 0) {
        throw ContractViolation("capacity: " + text(channels_.edges()[edge]) + " holds " +
                                std::to_string(capacity) + " messages, this table needs " +
                                std::to_string(needed == 0 ? 1 : needed));
      }
    }
  }

  void connect(std::uint32_t lane) {
    Lane& state = lane_states_[lane];
    std::uint32_t const stage = lanes_.stage(lane);
    auto& info = state.info;
    StageLayout const& layout = options_.stages[stage];
    info.stage = stage;
    info.stages = lanes_.stages();
    info.is_empty = layout.is_empty;
    info.saved = layout.is_empty ? 0 : layout.saved;
    if (stage > 0) {
      state.from_before = channels_.forward(lane - 1);
      state.to_before = channels_.backward(lane);
      info.inputs = &channels_.outputs(stage - 1);
      info.input_gradients = &channels_.gradients(stage - 1);
    }
    if (stage + 1 < lanes_.stages()) {
      state.to_next = channels_.forward(lane);
      state.from_next = channels_.backward(lane + 1);
      info.outputs = &channels_.outputs(stage);
      info.output_gradients = &channels_.gradients(stage);
    }
    for (std::size_t k = 0; k < options_.skip_edges.size(); ++k) connect_skip(lane, k);
  }

  /// Skip edges are sorted by their other ends.
  void connect_skip(std::uint32_t lane, std::size_t k) {
    Lane& state = lane_states_[lane];
    auto const [from, to] = options_.skip_edges[k];
    std::uint32_t const stage = lanes_.stage(lane);
    if (from != stage && to != stage) return;
    std::uint32_t const direction = lanes_.direction(lane);
    bool const ends_here = to == stage;
    auto const other_end = [&](typename Lane::SkipEnd const& end) {
      SkipEdge const& skip = options_.skip_edges[end.link - std::size_t{1}];
      return ends_here ? skip.from : skip.to;
    };
    auto& ends = ends_here ? state.skips_in : state.skips_out;
    auto place = ends.begin();
    while (place != ends.end() && other_end(*place) <= (ends_here ? from : to)) ++place;
    ends.insert(place, {static_cast<std::uint16_t>(k + 1), channels_.skip(direction, k, true),
                        channels_.skip(direction, k, false)});
    if (!ends_here) return;
    state.info.skip_inputs.clear();
    state.info.skip_gradients.clear();
    for (auto const& end : ends) {
      state.info.skip_inputs.push_back(&channels_.outputs(other_end(end)));
      state.info.skip_gradients.push_back(&channels_.gradients(other_end(end)));
    }
  }

  static MessageTag tag(PipelineRun const& run, PipelineStep const& step, Channel const& channel,
                        std::uint32_t stage) {
    return {run.number,   step.operation.micro_batch, static_cast<std::uint16_t>(stage),
            channel.link, channel.is_forward,         step.operation.direction};
  }

  void fetch(Channel* channel, PipelineRun const& run, PipelineStep const& step, std::size_t worker,
             PipelineMessage& message) {
    if (channel == nullptr || channel->edge == Channels::no_edge) return;
    PipelineEdge const& edge = channels_.edges()[channel->edge];
    MessageTag const due = tag(run, step, *channel, lanes_.stage(channel->from));
    watch_.wait(worker, WorkerWait::message, &edge,
                [&] { return transport_.try_receive(channel->edge, due, message); });
    watch_.bell(edge.from).ring();
    if (message.bytes != channel->layout->bytes) {
      throw ContractViolation(text(due) + " came with " + std::to_string(message.bytes) + " bytes, " +
                              std::to_string(channel->layout->bytes) + " were due");
    }
  }

  void post(Channel const& channel, std::size_t worker, PipelineMessage const& message) {
    PipelineEdge const& edge = channels_.edges()[channel.edge];
    watch_.wait(worker, WorkerWait::room, &edge, [&] { return transport_.try_send(channel.edge, message); });
    watch_.bell(edge.to).ring();
  }

  PipelineOptions const& options_;
  LaneMap const& lanes_;
  PipelineWatch& watch_;
  Channels channels_;
  Transport transport_;
  std::vector<Lane> lane_states_;
};

}  // namespace weir::inline v1::detail
