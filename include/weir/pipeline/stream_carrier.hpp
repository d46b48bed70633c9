#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/comm/message_pool.hpp"
#include "weir/comm/remote_stream_transport.hpp"
#include "weir/comm/remote_transport.hpp"
#include "weir/core/error.hpp"
#include "weir/pipeline/operation.hpp"
#include "weir/pipeline/pipeline_error.hpp"
#include "weir/pipeline/pipeline_lane.hpp"
#include "weir/pipeline/pipeline_program.hpp"
#include "weir/pipeline/pipeline_watch.hpp"
#include "weir/pipeline/transfer_order.hpp"
#include "weir/pipeline/transport/events.hpp"

namespace weir::inline v1::detail {

/// Messages between streams of which not all share their memory: at one place buffers are handed over, with
/// events; from one place to another a `RemoteStreamTransport` copies them, when `carry` says so. A transport
/// of streams itself, for the workers that are here.
template <Executor E, RemoteStreamTransport<E> Remote>
class StreamCarrier {
 public:
  explicit StreamCarrier(Remote remote) : remote_(std::move(remote)) {}

  Remote& remote() { return remote_; }

  /// What works on the memory of a place, `home` where the transport does not say.
  E const& executor(std::size_t place, E const& home) const {
    if constexpr (requires { remote_.executor(place); }) {
      return remote_.executor(place);
    } else {
      return home;
    }
  }

  void open(std::span<PipelineEdge const> edges, std::uint32_t needed, MessageNumbers const& numbers,
            E const& home, LaneMap const& lanes) {
    remote_.open(edges, numbers, home);
    for (PipelineEdge const& edge : edges)
      crosses_.push_back(lanes.places()[edge.from] != lanes.places()[edge.to] ? 1 : 0);
    auto const at = [&](std::size_t worker) -> E const& { return executor(lanes.places()[worker], home); };
    handover_.open(edges, needed, [&](std::size_t edge) -> E const& {
      return crosses_[edge] != 0 ? remote_.stream(edge) : at(edges[edge].from);
    });
    for (PipelineEdge const& edge : edges) {
      E const& sender = lanes.has_worker(edge.from) ? at(edge.from) : home;
      written_.push_back(sender.make_event());
    }
    for (E const& stream : remote_.streams()) ends_.push_back(stream.make_event());
    outgoing_.reserve(edges.size() * (needed + 1));
    crossings_.reserve(2);
    transfers_.reserve(2);
  }

  std::uint32_t capacity(std::size_t edge) const { return handover_.capacity(edge); }

  bool try_send(std::size_t edge, PipelineMessage const& message, E const& executor) {
    if (crosses_[edge] == 0) return handover_.try_send(edge, message, executor);
    executor.record(written_[edge]);
    remote_.stream(edge).wait(written_[edge]);
    outgoing_.push_back({edge, message});
    return true;
  }

  bool try_receive(std::size_t edge, MessageTag const& tag, PipelineMessage& message, E const& executor) {
    return handover_.try_receive(edge, tag, message, executor);
  }

  /// Enqueues what an entry of the issue order has sent from one place to another, as far as one of them is
  /// here; `worker` becomes the one of this process that it is done for. `guards`: of all buffers, by which
  /// streams that are no worker's have the numbers behind those.
  template <class Channels, class Guards>
  void carry(std::uint32_t run, PipelineProgram const& program, std::size_t entry, Channels& channels,
             LaneMap const& lanes, Guards& guards, PipelineWatch& watch, std::uint32_t& worker) {
    auto const operations = program.table().operations();
    auto const messages = program.transfers().after(entry);
    for (std::size_t k = 0; k < messages.size();) {
      crossings_.clear();
      for (bool is_more = true; is_more; ++k) {
        TransferOrder::Message const& message = messages[k];
        is_more = message.goes_with_next;
        bool const is_sent_here = lanes.has_worker(message.from);
        if (!is_sent_here && !lanes.has_worker(message.to)) continue;
        worker = is_sent_here ? message.from : message.to;
        watch.enter(worker, operations[is_sent_here ? message.producer : message.consumer]);
        crossings_.push_back(crossing(run, operations[message.producer], message, channels, lanes));
      }
      if (!crossings_.empty()) enqueue(guards, watch.workers());
    }
  }

  /// Errors: `PipelineError` with a transfer that will never end; what else the transport throws.
  template <class Channels>
  void check(Channels const& channels, LaneMap const& lanes) {
    try {
      remote_.check();
    } catch (...) {
      auto const stuck = remote_.oldest();
      if (!stuck) throw;
      PipelineEdge const& edge = channels.edges()[stuck->edge];
      Operation const sender{.kind = stuck->tag.is_forward ? OperationKind::forward : OperationKind::backward,
                             .direction = stuck->tag.direction,
                             .stage = stuck->tag.stage,
                             .micro_batch = stuck->tag.micro_batch};
      throw PipelineError(lanes.has_worker(edge.to) ? edge.to : edge.from, sender, std::current_exception());
    }
  }

  /// At the begin of a run, whose first event this is, and at its end: `home` goes on behind the streams.
  void start(typename E::event_type const& begin) {
    for (E const& stream : remote_.streams()) stream.wait(begin);
  }
  void join(E const& home) {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      remote_.streams()[i].record(ends_[i]);
      home.wait(ends_[i]);
    }
  }

  void clear() {
    remote_.clear();
    handover_.clear();
    outgoing_.clear();
  }

 private:
  struct Outgoing {
    std::size_t edge = 0;
    PipelineMessage message = {};  // no home: it has gone
  };

  /// A message that goes from one place to another.
  struct Crossing {
    std::size_t edge = 0;
    MessageTag tag = {};
    std::size_t bytes = 0;
    bool is_sent_here = false;
    PipelineMessage arrival = {};  // the buffer that it goes into, if it is received here
  };

  template <class Channels>
  Crossing crossing(std::uint32_t run, Operation const& operation, TransferOrder::Message const& message,
                    Channels& channels, LaneMap const& lanes) {
    std::uint32_t const lane = lanes.lane(operation);
    auto* const channel = message.link != 0
                              ? channels.skip(lanes.direction(lane), message.link - 1, message.is_forward)
                          : message.is_forward ? channels.forward(lane)
                                               : channels.backward(lane);
    Crossing result{.edge = channel->edge,
                    .tag = channels.tag(run, operation, *channel),
                    .bytes = channel->layout->bytes,
                    .is_sent_here = lanes.has_worker(message.from)};
    if (lanes.has_worker(message.to)) {
      result.arrival = {.tag = result.tag,
                        .data = channel->arrivals->take(),
                        .bytes = result.bytes,
                        .home = channel->arrivals.get()};
    }
    return result;
  }

  template <class Guards>
  void enqueue(Guards& guards, std::size_t workers) {
    transfers_.clear();
    for (Crossing const& crossing : crossings_) {
      StreamTransfer transfer{.edge = crossing.edge, .tag = crossing.tag, .bytes = crossing.bytes};
      if (crossing.is_sent_here) transfer.from = outgoing(crossing).data;
      if (crossing.arrival.home != nullptr) {
        guards.take(crossing.arrival, workers + crossing.edge, remote_.stream(crossing.edge));
        transfer.to = crossing.arrival.data;
      }
      if (crossing.bytes != 0) transfers_.push_back(transfer);
    }
    if (!transfers_.empty()) remote_.transfer(transfers_);
    for (Crossing const& crossing : crossings_) {
      E const& stream = remote_.stream(crossing.edge);
      if (crossing.arrival.home != nullptr && !handover_.try_send(crossing.edge, crossing.arrival, stream))
        throw ContractViolation(text(crossing.tag) + " arrives where no room is left for it");
      if (!crossing.is_sent_here) continue;
      PipelineMessage& sent = outgoing(crossing);
      guards.give_back(sent, workers + crossing.edge, stream);
      release(sent);
      forget_sent();
    }
  }

  /// Few are held at a time.
  PipelineMessage& outgoing(Crossing const& crossing) {
    for (Outgoing& each : outgoing_) {
      if (each.edge == crossing.edge && each.message.home != nullptr && each.message.tag == crossing.tag)
        return each.message;
    }
    throw ContractViolation(text(crossing.tag) + " has to go before it was made");
  }
  void forget_sent() {
    std::size_t kept = 0;
    for (Outgoing const& each : outgoing_) {
      if (each.message.home != nullptr) outgoing_[kept++] = each;
    }
    outgoing_.resize(kept);
  }

  Remote remote_;
  EventTransport<E> handover_;
  std::vector<std::uint8_t> crosses_;            // by edge
  std::vector<typename E::event_type> written_;  // by edge: the message that its sender has made
  std::vector<typename E::event_type> ends_;     // by stream of the transport
  std::vector<Outgoing> outgoing_;
  std::vector<Crossing> crossings_;  // this and the following: of the call under way
  std::vector<StreamTransfer> transfers_;
};

/// What a pipeline's messages are given to: its transport, or what brings a remote one to its streams.
template <class E, class Transport>
struct CarrierOf {
  using type = Transport;
};
template <class E, class Transport>
requires(RemoteStreamTransport<Transport, E>) struct CarrierOf<E, Transport> {
  using type = StreamCarrier<E, Transport>;
};

/// Where the workers of a table are.
template <Executor E, class Transport>
LaneMap lane_map_of(Transport& transport, TableView const& table) {
  if constexpr (RemoteStreamTransport<Transport, E> || RemoteTransport<Transport>) {
    std::vector<std::size_t> places = transport.places(table.workers());
    std::vector<std::uint8_t> is_here;
    for (std::size_t const place : places) is_here.push_back(transport.is_here(place) ? 1 : 0);
    return LaneMap(table, std::move(is_here), std::move(places));
  } else {
    return LaneMap(table);
  }
}

}  // namespace weir::inline v1::detail
