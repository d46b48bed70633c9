#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "weir/comm/pipeline_transport.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

struct ThreadTransportOptions {
  /// Messages per edge; none: twice what the table needs at least, and two. 0: a send ends when the receiver
  /// stands at the receive of this very message.
  std::optional<std::uint32_t> capacity = std::nullopt;
};

/// Messages between workers that are threads of one process: buffers are handed over, not copied.
///
/// An edge whose messages come in order is a bounded ring with one producer and one consumer; any other has
/// as many slots, which the consumer searches for the tag. With a capacity of 0 there is one slot, which
/// says what the consumer stands at.
class ThreadTransport {
 public:
  explicit ThreadTransport(ThreadTransportOptions options = {}) : options_(options) {}

  void open(std::span<PipelineEdge const> edges, std::uint32_t needed, MessageNumbers const& = {}) {
    std::uint32_t const capacity = options_.capacity.value_or(2 * needed + 2);
    edges_.reserve(edges.size());
    for (PipelineEdge const& edge : edges) edges_.emplace_back(edge, capacity);
  }

  std::uint32_t capacity(std::size_t edge) const {
    return edges_[edge].is_rendezvous ? 0 : static_cast<std::uint32_t>(edges_[edge].slots.size());
  }

  bool try_send(std::size_t index, PipelineMessage const& message) {
    Edge& edge = edges_[index];
    if (edge.is_rendezvous) return meet(edge.slots[0], message);
    Slot* const slot =
        edge.is_in_order ? &edge.slots[edge.sent % edge.slots.size()] : find_room(edge, message.tag);
    if (slot == nullptr || slot->state.load(std::memory_order_acquire) == State::full) return false;
    slot->message = message;
    slot->state.store(State::full, std::memory_order_release);
    ++edge.sent;
    return true;
  }

  bool try_receive(std::size_t index, MessageTag const& tag, PipelineMessage& message) {
    Edge& edge = edges_[index];
    Slot* const slot = edge.is_in_order ? next(edge, tag) : find(edge, tag);
    if (slot == nullptr) {
      if (edge.is_rendezvous) await(edge.slots[0], tag);
      return false;
    }
    message = slot->message;
    slot->state.store(State::empty, std::memory_order_release);
    ++edge.received;
    return true;
  }

  std::optional<MessageTag> left_over(std::size_t index, std::uint32_t run) const {
    for (Slot const& slot : edges_[index].slots) {
      if (slot.state.load(std::memory_order_acquire) == State::full && slot.message.tag.run <= run)
        return slot.message.tag;
    }
    return std::nullopt;
  }

  void clear() {
    for (Edge& edge : edges_) {
      for (Slot& slot : edge.slots) slot.state = State::empty;
      edge.sent = edge.received = 0;
    }
  }

 private:
  enum class State : std::uint8_t { empty, awaited, full };
  struct Slot {
    std::atomic<State> state = State::empty;
    PipelineMessage message;  // of what is awaited the tag only
  };
  struct Edge : PipelineEdge {
    Edge(PipelineEdge const& edge, std::size_t capacity)
        : PipelineEdge(edge), is_rendezvous(capacity == 0), slots(capacity == 0 ? 1 : capacity) {}

    bool is_rendezvous;
    std::vector<Slot> slots;
    alignas(64) std::uint64_t sent = 0;      // the producer's
    alignas(64) std::uint64_t received = 0;  // the consumer's
  };

  static void await(Slot& slot, MessageTag const& tag) {
    if (slot.state.load(std::memory_order_acquire) != State::empty) return;
    slot.message.tag = tag;
    slot.state.store(State::awaited, std::memory_order_release);
  }

  static bool meet(Slot& slot, PipelineMessage const& message) {
    if (slot.state.load(std::memory_order_acquire) != State::awaited || !(slot.message.tag == message.tag))
      return false;
    slot.message = message;
    slot.state.store(State::full, std::memory_order_release);
    return true;
  }

  static Slot* next(Edge& edge, MessageTag const& tag) {
    Slot& slot = edge.slots[edge.received % edge.slots.size()];
    if (slot.state.load(std::memory_order_acquire) != State::full) return nullptr;
    if (!(slot.message.tag == tag)) {
      throw ContractViolation(text(edge) + " brought " + text(slot.message.tag) + " where " + text(tag) +
                              " was due");
    }
    return &slot;
  }

  static Slot* find(Edge& edge, MessageTag const& tag) {
    for (Slot& slot : edge.slots) {
      if (slot.state.load(std::memory_order_acquire) == State::full && slot.message.tag == tag) return &slot;
    }
    return nullptr;
  }

  /// Only the producer writes a slot's message, so it may read those of full ones.
  static Slot* find_room(Edge& edge, MessageTag const& tag) {
    Slot* room = nullptr;
    for (Slot& slot : edge.slots) {
      if (slot.state.load(std::memory_order_acquire) != State::full) {
        room = &slot;
      } else if (slot.message.tag == tag) {
        throw ContractViolation(text(edge) + " holds " + text(tag) + " already, and it was sent again");
      }
    }
    return room;
  }

  ThreadTransportOptions options_;
  std::vector<Edge> edges_;
};

static_assert(PipelineTransport<ThreadTransport>);

}  // namespace weir::inline v1
