#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/remote_transport.hpp"
#include "weir/comm/stream_transport.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/error.hpp"
#include "weir/exec/vocabulary.hpp"
#include "weir/pipeline/buffer_guards.hpp"
#include "weir/pipeline/edge_capacity.hpp"
#include "weir/pipeline/fifo_order.hpp"
#include "weir/pipeline/pipeline_arrivals.hpp"
#include "weir/pipeline/pipeline_channels.hpp"
#include "weir/pipeline/pipeline_error.hpp"
#include "weir/pipeline/pipeline_gradients.hpp"
#include "weir/pipeline/pipeline_lane.hpp"
#include "weir/pipeline/pipeline_options.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/pipeline_run.hpp"
#include "weir/pipeline/pipeline_watch.hpp"
#include "weir/pipeline/stream_carrier.hpp"
#include "weir/pipeline/weight_parts.hpp"

namespace weir::inline v1::detail {

/// The lanes of a pipeline, and how messages get from one to another: at once where both are on one worker,
/// else by the transport; to other processes gradients of weights, too.
///
/// Streams: where one thread issues the work of all workers, `point` is the stream of the worker that sends,
/// receives, takes a buffer or releases it.
template <Executor E, class Real, PipelineTransportOn<E> Transport>
class PipelineTraffic {
 public:
  using Channels = PipelineChannels<E, Real>;
  using Channel = typename Channels::Channel;
  using Lane = LaneState<E, Real>;
  static constexpr bool is_remote = RemoteTransport<Transport>;
  static constexpr bool is_issued = !HostOrderedExecutor<E>;
  static constexpr bool is_carried = RemoteStreamTransport<Transport, E>;
  using Carrier = typename CarrierOf<E, Transport>::type;
  /// After which who waits asks the transport again; 0: when rung for.
  static constexpr std::chrono::microseconds interval{is_remote ? 20 : 0};

  /// `issued`: the most messages that who issues the work of all workers puts on an edge.
  PipelineTraffic(E const& executor, TableView const& table, LaneMap const& lanes,
                  PipelineOptions const& options, PipelineWatch& watch, Transport transport,
                  std::uint32_t issued = 0, EdgeSparsifier<E, Real> const& sparsifier = {})
      : executor_(executor),
        options_(options),
        lanes_(lanes),
        watch_(watch),
        channels_(lanes, options, sparsifier),
        gradients_(lanes, parts_of(lanes, options), watch, channels_.edges()),
        transport_(std::move(transport)),
        lane_states_(lanes.lanes()) {
    open_transport(table, issued);
    if constexpr (is_remote) {
      if (!gradients_.is_none())
        watch_.set_errand(this, [](void* traffic, std::size_t worker) {
          auto& self = *static_cast<PipelineTraffic*>(traffic);
          self.gradients_.take_in(self.transport_, worker);
        });
    }
    for (std::uint32_t lane = 0; lane < lanes_.lanes(); ++lane) {
      if (lanes_.has(lane)) connect(lane_states_[lane], lane, lanes_, channels_, options_);
    }
  }

  PipelineTraffic(PipelineTraffic const&) = delete;
  PipelineTraffic& operator=(PipelineTraffic const&) = delete;

  ~PipelineTraffic() {
    if constexpr (is_remote) {
      if (transport_.close()) return;
      channels_.abandon();
      gradients_.abandon();
    }
  }

  Lane& lane(std::size_t lane) { return lane_states_[lane]; }

  /// Of the device that a worker is on: the pipeline's, or one of the transport's.
  E const& executor_of(std::uint32_t worker) const {
    if constexpr (is_carried) return transport_.executor(lanes_.places()[worker], executor_);
    return executor_;
  }

  /// Takes the buffers of all messages. `records(lane)`: for how many micro-batches a lane holds some.
  template <class Records>
  void allocate(Records const& records) {
    auto const executors = [this](std::uint32_t worker) -> E const& { return executor_of(worker); };
    channels_.allocate(
        executors, options_.stages, [&](std::size_t edge) { return std::size_t{transport_.capacity(edge)}; },
        records, copies());
    guards_.make(channels_.owners().size(),
                 [&](std::size_t buffer) -> E const& { return executors(channels_.owners()[buffer]); });
  }

  /// Takes the buffers of the gradients of these units that go to other processes, or come from there.
  template <class Units>
  void allocate_gradients(Units const& units) {
    if constexpr (is_remote) {
      gradients_.allocate([this](std::uint32_t worker) -> E const& { return executor_of(worker); }, units,
                          Transport::trailer_bytes);
    }
  }

  std::size_t workspace_bytes() const { return channels_.workspace_bytes() + gradients_.workspace_bytes(); }

  /// Notes in which order the workers of a program receive, for receives that are posted before they are
  /// due.
  void list_arrivals(PipelineProgram const& program, bool is_evaluation) {
    if constexpr (is_remote) {
      arrivals_.resize(watch_.workers());
      for (std::uint32_t worker = 0; worker < watch_.workers(); ++worker) {
        if (!lanes_.has_worker(worker)) continue;
        for (PipelineStep const& step : program.worker(worker)) {
          for_each_source(step, [&](Channel* channel, auto const&) {
            if (channel != nullptr && channel->edge != Channels::no_edge)
              arrivals_.add(is_evaluation, worker, {channel, step.operation});
          });
        }
      }
    }
  }

  /// At the begin of a run, and where `start` has been recorded, and at its end, behind which `home` goes on.
  void begin(PipelineRun const& run) { guards_.begin(run.number); }
  void start(typename E::event_type const& start) {
    if constexpr (is_carried) transport_.start(start);
  }
  void join(E const& home) {
    if constexpr (is_carried) transport_.join(home);
  }

  /// At the begin and at the end of a worker's run, in which `point` is its executor. The end waits until
  /// gradients of other processes have come that are added to its own, and all that it sent has left.
  void begin(PipelineRun const& run, std::size_t worker, E const& point) {
    if constexpr (is_remote) {
      arrivals_.begin(worker);
      gradients_.begin(run, worker, point);
      gradients_.take_in(transport_, worker);
    }
  }
  void finish(std::size_t worker) {
    if constexpr (is_remote) {
      gradients_.finish(worker);
      for (std::size_t index = 0; index < channels_.edges().size(); ++index) {
        PipelineEdge const& edge = channels_.edges()[index];
        if (edge.from != worker) continue;
        watch_.wait(worker, WorkerWait::room, &edge, [&] { return transport_.try_flush(index); });
      }
    }
  }

  /// A message of the run, or of one before, that lies there when a worker has received all that was due has
  /// come twice: that is a failure.
  void check_left_over(std::size_t worker, std::uint32_t run) {
    if constexpr (requires { std::as_const(transport_).left_over(std::size_t{}, run); }) {
      for (std::size_t index = 0; index < channels_.edges().size(); ++index) {
        PipelineEdge const& edge = channels_.edges()[index];
        if (edge.to != worker) continue;
        if (auto const tag = std::as_const(transport_).left_over(index, run))
          watch_.fail(std::make_exception_ptr(came_twice(edge, *tag)));
      }
    }
  }

  /// Tells other processes, if there are any, that this one has failed.
  void cancel() noexcept {
    if constexpr (is_remote) transport_.cancel();
    if constexpr (is_carried) transport_.remote().cancel();
  }

  /// Whether another process has told of a failure.
  bool has_failed_elsewhere() {
    if constexpr (requires { transport_.has_failed(); }) return transport_.has_failed();
    return false;
  }
  /// Whether, after a failure, the numbers of all processes are the same; `least` and `most` are of this one.
  bool agree(std::uint64_t least, std::uint64_t most) {
    if constexpr (requires { transport_.agree(least, most); }) return transport_.agree(least, most);
    return least >= most;
  }

  /// Errors: `PipelineError` with a message that will never come, or never be taken.
  void check() {
    if constexpr (is_carried) transport_.check(channels_, lanes_);
  }

  /// Enqueues what an entry of the issue order has sent to another place; `worker` becomes who is at it here.
  void carry(PipelineRun const& run, PipelineProgram const& program, std::size_t entry,
             std::uint32_t& worker) {
    if constexpr (is_carried)
      transport_.carry(run.number, program, entry, channels_, lanes_, guards_, watch_, worker);
  }

  /// Takes in what the operation needs and other workers make.
  void receive(PipelineRun const& run, PipelineProgram const& program, PipelineStep const& step,
               std::size_t worker, E const& point) {
    Operation const& operation = step.operation;
    if (!is_forward(operation) && !gives_input_gradient(operation)) return;
    Lane& state = lane_states_[step.lane];
    LaneRecord& record = state.records[program.record(step.lane, operation.micro_batch)];
    for_each_source(step, [&](Channel* channel, auto const& place) {
      fetch(channel, run, operation, worker, place(record), point);
    });
  }

  /// Hands on what a lane has added to the gradient of a unit, if other processes have the unit, too.
  void send_gradient(PipelineRun const& run, PipelineStep const& step, ParameterUnit<E, Real> const& unit,
                     GradientCount const& count, std::size_t worker, E const& point) {
    if constexpr (is_remote) gradients_.send(transport_, run, step, unit, count, worker, point);
  }

  /// Hands on what the operation has made.
  void send(PipelineRun const& run, PipelineProgram const& program, PipelineStep const& step,
            std::size_t worker, E const& point) {
    bool const is_ahead = is_forward(step.operation);
    if (!is_ahead && !gives_input_gradient(step.operation)) return;
    Lane& state = lane_states_[step.lane];
    LaneRecord& record = state.records[program.record(step.lane, step.operation.micro_batch)];
    auto const hand_on = [&](typename Channels::Channel* channel, PipelineMessage& message,
                             auto const& place) {
      if (channel == nullptr) return;
      message.tag = channels_.tag(run.number, step.operation, *channel);
      if (channel->edge == Channels::no_edge) {
        LaneRecord& other =
            lane_states_[channel->to].records[program.record(channel->to, step.operation.micro_batch)];
        place(lane_states_[channel->to], other) = std::exchange(message, PipelineMessage{});
      } else {
        encode(*channel, run, step.operation, message, point);
        post(*channel, worker, std::exchange(message, PipelineMessage{}), point);
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

  PipelineMessage take(Channel& channel, std::size_t worker, E const& point) {
    PipelineMessage const message{
        .tag = {}, .data = channel.pool->take(), .bytes = channel.layout->bytes, .home = channel.pool.get()};
    guards_.take(message, worker, point);
    return message;
  }

  /// Gives a message's buffer back, if there is a message.
  void release(PipelineMessage& message, std::size_t worker, E const& point) {
    if (message.home != nullptr) guards_.give_back(message, worker, point);
    detail::release(message);
  }

  /// Calls `f(channel, name)` for each that keeps what it does not send, where it is sent.
  template <class Function>
  void for_each_selection(Function const& f) {
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      Channel const& channel = channels_[i];
      if (channel.sparse != nullptr && channel.sparse->selection().is_bound())
        f(channel.sparse->selection(), channels_.name(channel));
    }
  }

  /// Which messages go from worker to worker in another form than they are, and in which.
  std::string text_of_codecs() {
    std::string text;
    for (std::size_t i = 0; i < channels_.size(); ++i) {
      Channel const& channel = channels_[i];
      if (channel.codec == EdgeCodec::none) continue;
      text += (text.empty() ? "" : ", ") + channels_.name(channel) + ": " + name_of(channel.codec);
      if (channel.sparse != nullptr) text += ", " + channel.sparse->selection().text();
    }
    return text;
  }

  /// Forgets all that was under way. When no worker is at work.
  void clear() {
    transport_.clear();
    channels_.refill();
    gradients_.clear();
    for (Lane& state : lane_states_) state.forget();
  }

 private:
  static constexpr typename Channels::Copies copies() {
    using Made = typename Channels::Copies::Made;
    if constexpr (is_remote) return {Made::between_workers, Transport::trailer_bytes, Transport::prefetch};
    return {is_carried ? Made::between_places : Made::never};
  }

  /// Those of which gradients may have to be sent.
  static std::vector<WeightPart> parts_of(LaneMap const& lanes, PipelineOptions const& options) {
    if constexpr (is_remote) {
      return weight_parts(lanes, options);
    } else {
      return {};
    }
  }

  /// Calls `f(channel, place)` for each message that a step takes in, in order; `place(record)` is where it
  /// goes.
  template <class Function>
  void for_each_source(PipelineStep const& step, Function const& f) {
    Lane& state = lane_states_[step.lane];
    if (is_forward(step.operation)) {
      f(state.from_before, [](LaneRecord& record) -> PipelineMessage& { return record.input; });
      for (std::size_t k = 0; k < state.skips_in.size(); ++k)
        f(state.skips_in[k].forward,
          [k](LaneRecord& record) -> PipelineMessage& { return record.skip_inputs[k]; });
    } else if (gives_input_gradient(step.operation)) {
      f(state.from_next, [](LaneRecord& record) -> PipelineMessage& { return record.output_gradient; });
      for (std::size_t k = 0; k < state.skips_out.size(); ++k)
        f(state.skips_out[k].backward,
          [k](LaneRecord& record) -> PipelineMessage& { return record.skip_gradients[k]; });
    }
  }

  void open_transport(TableView const& table, std::uint32_t issued) {
    FifoOrder const order = fifo_order(table);
    bool const has_skips = !options_.skip_edges.empty();
    for (PipelineEdge& edge : channels_.edges())
      edge.is_in_order = edge.is_weight_gradient || (!has_skips && order.per_edge);
    std::uint32_t const least = min_edge_capacity(table, options_.skip_edges);
    std::uint32_t const needed = issued > least ? issued : least;
    MessageNumbers const numbers{table.stages(), static_cast<std::uint32_t>(1 + options_.skip_edges.size()),
                                 !has_skips && order.per_stage ? 1 : table.micro_batches(),
                                 gradients_.layout(channels_.layout(table, options_.local_batch)),
                                 gradients_.links()};
    if constexpr (is_carried) {
      transport_.open(channels_.edges(), needed, numbers, executor_, lanes_);
    } else if constexpr (is_issued) {
      transport_.open(channels_.edges(), needed, numbers, executor_);
    } else {
      transport_.open(channels_.edges(), needed, numbers);
    }
    for (std::size_t edge = 0; edge < channels_.edges().size(); ++edge) {
      std::uint32_t const capacity = transport_.capacity(edge);
      if (capacity < needed) {
        throw ContractViolation("capacity: " + text(channels_.edges()[edge]) + " holds " +
                                std::to_string(capacity) + " messages, this table needs " +
                                std::to_string(needed));
      }
    }
  }

  /// Keeps as many receives posted as the transport likes.
  void post_receives(PipelineRun const& run, std::size_t worker) {
    arrivals_.advance(run.is_evaluation, worker, Transport::prefetch, [&](auto const& arrival) {
      Channel& channel = *arrival.channel;
      transport_.post_receive(channel.edge, channels_.tag(run.number, arrival.operation, channel),
                              {.tag = {},
                               .data = channel.arrivals->take(),
                               .bytes = bytes_of(channel, run),
                               .home = channel.arrivals.get()});
    });
  }

  void fetch(Channel* channel, PipelineRun const& run, Operation const& operation, std::size_t worker,
             PipelineMessage& message, E const& point) {
    if (channel == nullptr || channel->edge == Channels::no_edge) return;
    PipelineEdge const& edge = channels_.edges()[channel->edge];
    MessageTag const due = channels_.tag(run.number, operation, *channel);
    if constexpr (is_issued) {
      if (!transport_.try_receive(channel->edge, due, message, point))
        throw ContractViolation(text(edge) + ": " + text(due) + " is received before it was sent");
    } else {
      await(*channel, edge, due, run, worker, message);
    }
    if (message.bytes != bytes_of(*channel, run)) {
      throw ContractViolation(text(due) + " came with " + std::to_string(message.bytes) + " bytes, " +
                              std::to_string(bytes_of(*channel, run)) + " were due");
    }
    message.bytes = channel->layout->bytes;
    if constexpr (!is_issued) decode(*channel, run, due, message);
  }

  static void decode(Channel& channel, PipelineRun const& run, MessageTag const& tag,
                     PipelineMessage& message) {
    if (channel.sparse == nullptr) {
      detail::decode<Real>(channel.codec, message.data, message.bytes);
    } else if (is_selected(run, tag.micro_batch)) {
      channel.sparse->unpack(message.data, tag);
    }
  }

  void await(Channel const& channel, PipelineEdge const& edge, MessageTag const& due, PipelineRun const& run,
             std::size_t worker, PipelineMessage& message) {
    if constexpr (is_remote) post_receives(run, worker);
    bool is_told = transport_.capacity(channel.edge) != 0;
    watch_.wait(worker, WorkerWait::message, &edge, [&] {
      if (transport_.try_receive(channel.edge, due, message)) return true;
      // Without room on the edge who sends waits until somebody stands here.
      if (!std::exchange(is_told, true)) watch_.bell(edge.from).ring();
      return false;
    });
    watch_.bell(edge.from).ring();
  }

  PipelineError came_twice(PipelineEdge const& edge, MessageTag const& tag) const {
    Operation receiver{tag.is_forward ? OperationKind::forward : OperationKind::backward, tag.direction};
    receiver.stage = static_cast<std::uint16_t>(tag.is_forward ? tag.stage + 1 : tag.stage - 1);
    if (tag.link != 0) {
      SkipEdge const& skip = options_.skip_edges[tag.link - 1u];
      receiver.stage = static_cast<std::uint16_t>(tag.is_forward ? skip.to : skip.from);
    }
    receiver.micro_batch = tag.micro_batch;
    return {edge.to, receiver,
            std::make_exception_ptr(ContractViolation(text(edge) + " brought " + text(tag) + " twice"))};
  }

  /// On the way. An evaluation sends all elements: what is kept of others is of the training.
  static std::size_t bytes_of(Channel const& channel, PipelineRun const& run) {
    if (channel.sparse != nullptr && run.is_evaluation) return channel.layout->bytes;
    return Channels::bytes_sent(channel);
  }
  static bool is_selected(PipelineRun const& run, std::uint32_t micro_batch) {
    return !run.is_evaluation && run.samples_of(micro_batch) != 0;
  }

  static void encode(Channel& channel, PipelineRun const& run, Operation const& operation,
                     PipelineMessage& message, E const& point) {
    if constexpr (!is_issued) {
      if (channel.sparse == nullptr) {
        detail::encode<Real>(channel.codec, message.data, message.bytes);
      } else if (is_selected(run, operation.micro_batch)) {
        channel.sparse->pack(message.data, run.samples_of(operation.micro_batch), point);
      }
      message.bytes = bytes_of(channel, run);
    }
  }

  void post(Channel const& channel, std::size_t worker, PipelineMessage message, E const& point) {
    PipelineEdge const& edge = channels_.edges()[channel.edge];
    if constexpr (is_issued) {
      if (!transport_.try_send(channel.edge, message, point))
        throw ContractViolation(text(edge) + " has no room for " + text(message.tag));
    } else {
      hand_over(channel, edge, worker, message);
    }
  }

  void hand_over(Channel const& channel, PipelineEdge const& edge, std::size_t worker,
                 PipelineMessage const& message) {
    watch_.wait(worker, WorkerWait::room, &edge, [&] { return transport_.try_send(channel.edge, message); });
    watch_.bell(edge.to).ring();
  }

  E const& executor_;
  PipelineOptions const& options_;
  LaneMap const& lanes_;
  PipelineWatch& watch_;
  Channels channels_;
  PipelineGradients<E, Real> gradients_;
  BufferGuards<E> guards_;
  Carrier transport_;
  std::vector<Lane> lane_states_;
  PipelineArrivals<Channel> arrivals_;
};

}  // namespace weir::inline v1::detail
