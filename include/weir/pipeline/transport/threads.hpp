#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/comm/pipeline_transport.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

struct ThreadTransportOptions {
  std::uint32_t capacity = 0;  // messages per edge; 0: twice what the table needs at least, and two
};

/// Messages between workers that are threads of one process: buffers are handed over, not copied.
///
/// An edge whose messages come in order is a bounded ring with one producer and one consumer; any other has
/// as many slots, which the consumer searches for the tag.
class ThreadTransport {
 public:
  explicit ThreadTransport(ThreadTransportOptions options = {}) : options_(options) {}

  void open(std::span<PipelineEdge const> edges, std::uint32_t needed, MessageNumbers const& = {}) {
    std::uint32_t const capacity = options_.capacity != 0 ? options_.capacity : 2 * needed + 2;
    edges_.reserve(edges.size());
    for (PipelineEdge const& edge : edges) edges_.emplace_back(edge, capacity);
  }

  std::uint32_t capacity(std::size_t edge) const {
    return static_cast<std::uint32_t>(edges_[edge].slots.size());
  }

  bool try_send(std::size_t index, PipelineMessage const& message) {
    Edge& edge = edges_[index];
    Slot* const slot =
        edge.is_in_order ? &edge.slots[edge.sent % edge.slots.size()] : find_room(edge, message.tag);
    if (slot == nullptr || slot->is_full.load(std::memory_order_acquire)) return false;
    slot->message = message;
    slot->is_full.store(true, std::memory_order_release);
    ++edge.sent;
    return true;
  }

  bool try_receive(std::size_t index, MessageTag const& tag, PipelineMessage& message) {
    Edge& edge = edges_[index];
    Slot* const slot = edge.is_in_order ? next(edge, tag) : find(edge, tag);
    if (slot == nullptr) return false;
    message = slot->message;
    slot->is_full.store(false, std::memory_order_release);
    ++edge.received;
    return true;
  }

  void clear() {
    for (Edge& edge : edges_) {
      for (Slot& slot : edge.slots) slot.is_full = false;
      edge.sent = edge.received = 0;
    }
  }

 private:
  struct Slot {
    std::atomic<bool> is_full = false;
    PipelineMessage message;
  };
  struct Edge : PipelineEdge {
    Edge(PipelineEdge const& edge, std::size_t capacity) : PipelineEdge(edge), slots(capacity) {}

    std::vector<Slot> slots;
    alignas(64) std::uint64_t sent = 0;      // the producer's
    alignas(64) std::uint64_t received = 0;  // the consumer's
  };

  static Slot* next(Edge& edge, MessageTag const& tag) {
    Slot& slot = edge.slots[edge.received % edge.slots.size()];
    if (!slot.is_full.load(std::memory_order_acquire)) return nullptr;
    if (!(slot.message.tag == tag)) {
      throw ContractViolation(text(edge) + " brought " + text(slot.message.tag) + " where " + text(tag) +
                              " was due");
    }
    return &slot;
  }

  static Slot* find(Edge& edge, MessageTag const& tag) {
    for (Slot& slot : edge.slots) {
      if (slot.is_full.load(std::memory_order_acquire) && slot.message.tag == tag) return &slot;
    }
    return nullptr;
  }

  /// Only the producer writes a slot's message, so it may read those of full ones.
  static Slot* find_room(Edge& edge, MessageTag const& tag) {
    Slot* room = nullptr;
    for (Slot& slot : edge.slots) {
      if (!slot.is_full.load(std::memory_order_acquire)) {
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
