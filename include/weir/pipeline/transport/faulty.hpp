#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weir/comm/remote_transport.hpp"
#include "weir/core/clock.hpp"
#include "weir/core/random.hpp"

namespace weir::inline v1 {

/// What `FaultyTransport` throws when it was told to.
class InjectedFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What goes wrong, by the number of the message among all that are sent, or at random.
struct Faults {
  static constexpr std::uint64_t never = UINT64_MAX;

  std::uint64_t seed = 0;
  std::chrono::microseconds longest_delay{0};  // of every message: at random up to this
  std::uint64_t drop = never;                  // is lost
  std::uint64_t duplicate = never;             // is sent twice
  std::uint64_t flip = never;                  // has one bit changed, at random
  std::uint64_t stall = never;                 // its sender sleeps for `stall_time` first
  std::chrono::milliseconds stall_time{0};
  std::uint64_t fail = never;   // is refused with `InjectedFault`
  std::uint32_t overtaken = 0;  // one in so many, at random, on edges that are not in order, is held back and
                                // overtaken by those behind it until the receiver asks for it; 0: none
};

/// A transport on which things go wrong, for tests.
template <PipelineTransport Inner>
requires(!RemoteTransport<Inner>) class FaultyTransport {
 public:
  FaultyTransport(Inner inner, Faults const& faults)
      : inner_(std::move(inner)), faults_(faults), sent_(std::make_unique<std::atomic<std::uint64_t>>(0)) {}

  void open(std::span<PipelineEdge const> edges, std::uint32_t needed, MessageNumbers const& numbers) {
    inner_.open(edges, needed, numbers);
    edges_.resize(edges.size());
    for (std::size_t edge = 0; edge < edges.size(); ++edge)
      edges_[edge].is_in_order = edges[edge].is_in_order;
  }
  std::uint32_t capacity(std::size_t edge) const { return inner_.capacity(edge); }

  bool try_send(std::size_t index, PipelineMessage const& message) {
    Edge& edge = edges_[index];
    if (!edge.is_begun) begin(edge, message);
    if (edge.number == faults_.drop) return end(edge);
    if (edge.is_to_be_held && hold(edge, message)) return end(edge);
    if (!inner_.try_send(index, message)) return false;
    if (edge.number == faults_.duplicate && !inner_.try_send(index, message))
      throw InjectedFault("there was no room to send " + text(message.tag) + " twice");
    return end(edge);
  }

  bool try_receive(std::size_t index, MessageTag const& tag, PipelineMessage& message) {
    Hand& hand = *edges_[index].hand;
    if (hand.is_full.load(std::memory_order_acquire) && hand.message.tag == tag) {
      message = hand.message;
      hand.is_full.store(false, std::memory_order_release);
      return true;
    }
    return inner_.try_receive(index, tag, message);
  }

  std::optional<MessageTag> left_over(std::size_t index, std::uint32_t run) const requires
      requires(Inner const& inner) {
    inner.left_over(index, run);
  }
  { return inner_.left_over(index, run); }

  void clear() {
    inner_.clear();
    for (Edge& edge : edges_) {
      edge.is_begun = edge.is_to_be_held = false;
      edge.hand->is_full = false;
    }
  }

 private:
  /// A message that is held back, from the sender to the receiver.
  struct Hand {
    std::atomic<bool> is_full = false;
    PipelineMessage message;
  };
  /// Used by the sender only, but for the hand.
  struct Edge {
    bool is_in_order = true;
    bool is_begun = false;  // the message that is tried has met its fault
    bool is_to_be_held = false;
    std::uint64_t number = 0;
    std::unique_ptr<Hand> hand = std::make_unique<Hand>();
  };

  static bool hold(Edge& edge, PipelineMessage const& message) {
    if (edge.hand->is_full.load(std::memory_order_acquire)) return false;
    edge.hand->message = message;
    edge.hand->is_full.store(true, std::memory_order_release);
    return true;
  }

  void begin(Edge& edge, PipelineMessage const& message) {
    edge.is_begun = true;
    edge.number = sent_->fetch_add(1);
    edge.is_to_be_held = false;
    RandomStream const random{.seed = faults_.seed, .micro_batch = static_cast<std::uint32_t>(edge.number)};
    if (faults_.longest_delay.count() != 0) {
      auto const longest = static_cast<float>(faults_.longest_delay.count());
      std::this_thread::sleep_for(std::chrono::microseconds(static_cast<int>(random.uniform(0) * longest)));
    }
    if (faults_.overtaken != 0 && !edge.is_in_order)
      edge.is_to_be_held = random.word(3) % faults_.overtaken == 0;
    if (edge.number == faults_.stall) std::this_thread::sleep_for(faults_.stall_time);
    if (edge.number == faults_.fail)
      throw InjectedFault("the transport was told to fail at " + text(message.tag));
    if (edge.number == faults_.flip && message.bytes != 0) {
      std::uint32_t const bit = random.word(2) % static_cast<std::uint32_t>(8 * message.bytes);
      message.data[bit / 8] ^= std::byte(1u << bit % 8);
    }
  }

  static bool end(Edge& edge) {
    edge.is_begun = false;
    return true;
  }

  Inner inner_;
  Faults faults_;
  std::vector<Edge> edges_;
  std::unique_ptr<std::atomic<std::uint64_t>> sent_;
};

}  // namespace weir::inline v1
