#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "weir/comm/stream_transport.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// Messages between workers that are streams of one device: buffers are handed over, not copied. A message is
/// an event that its sender records and its receiver's stream waits for.
template <Executor E>
class EventTransport {
 public:
  /// As many messages per edge as the pipeline needs: its order is known before anything runs, and so is
  /// what is on its edges.
  void open(std::span<PipelineEdge const> edges, std::uint32_t needed, MessageNumbers const&,
            E const& executor) {
    open(edges, needed, [&executor](std::size_t) -> E const& { return executor; });
  }

  /// `sender_of(edge)` is on the device on which the messages of an edge are sent.
  template <std::invocable<std::size_t> SenderOf>
  void open(std::span<PipelineEdge const> edges, std::uint32_t needed, SenderOf const& sender_of) {
    for (std::size_t edge = 0; edge < edges.size(); ++edge) {
      edges_.push_back({edges[edge], {}});
      while (edges_.back().slots.size() < needed)
        edges_.back().slots.push_back({sender_of(edge).make_event(), {}, false});
    }
  }

  std::uint32_t capacity(std::size_t edge) const {
    return static_cast<std::uint32_t>(edges_[edge].slots.size());
  }

  bool try_send(std::size_t index, PipelineMessage const& message, E const& executor) {
    Edge& edge = edges_[index];
    Slot* room = nullptr;
    for (Slot& slot : edge.slots) {
      if (!slot.is_full) room = &slot;
      if (slot.is_full && slot.message.tag == message.tag)
        throw ContractViolation(text(edge) + " holds " + text(message.tag) +
                                " already, and it was sent again");
    }
    if (room == nullptr) return false;
    executor.record(room->sent);
    room->message = message;
    room->is_full = true;
    return true;
  }

  bool try_receive(std::size_t index, MessageTag const& tag, PipelineMessage& message, E const& executor) {
    for (Slot& slot : edges_[index].slots) {
      if (!slot.is_full || !(slot.message.tag == tag)) continue;
      executor.wait(slot.sent);
      message = slot.message;
      slot.is_full = false;
      return true;
    }
    return false;
  }

  void clear() {
    for (Edge& edge : edges_) {
      for (Slot& slot : edge.slots) slot.is_full = false;
    }
  }

 private:
  struct Slot {
    typename E::event_type sent;  // recorded by the edge's sender only
    PipelineMessage message = {};
    bool is_full = false;
  };
  struct Edge : PipelineEdge {
    std::vector<Slot> slots = {};
  };

  std::vector<Edge> edges_;
};

}  // namespace weir::inline v1
