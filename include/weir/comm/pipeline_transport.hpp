#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "weir/comm/message_numbers.hpp"
#include "weir/comm/pipeline_message.hpp"

namespace weir::inline v1 {

/// A way from one worker to another, for outputs or for their gradients; or, to another process, for the
/// gradient of some weights.
struct PipelineEdge {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool is_forward = true;
  bool is_in_order = true;  ///< messages are received in the order in which they are sent
  bool is_weight_gradient = false;
  std::uint16_t stage = 0;  ///< of which the weights are
  std::uint16_t link = 0;   ///< 0: the stage's own; k: tied parameter k - 1
};

/// "edge 0 -> 1 (F)", "edge 2 -> 1 (gradient of stage 3)".
inline std::string text(PipelineEdge const& edge) {
  std::string const text = "edge " + std::to_string(edge.from) + " -> " + std::to_string(edge.to);
  if (!edge.is_weight_gradient) return text + (edge.is_forward ? " (F)" : " (B)");
  return text + " (gradient of " +
         (edge.link == 0 ? "" : "tied parameter " + std::to_string(edge.link - 1) + " in ") + "stage " +
         std::to_string(edge.stage) + ")";
}

/// What carries messages between the workers of a pipeline. Sends are called by the edge's one worker,
/// receives by the other; neither blocks: a worker calls again when the other one has done something.
///   `open(edges, needed, numbers)` once, before any other call; `needed` messages per edge are enough.
///   `capacity(edge)`: how many messages it holds that have not been received.
///   `try_send(edge, message)`: true if it has taken over the message.
///   `try_receive(edge, tag, message)`: true if this message has come.
///   `clear()`: forgets what is under way; between runs.
///   `left_over(edge, run)`, if there is one: the tag of a message of this run, or of one before, that lies
///   on the edge. Called by the receiver when it has received all that was due.
/// Errors: `ContractViolation` that names the tag, for a message that is not the one that is due, or that is
/// there twice.
template <class T>
concept PipelineTransport = std::movable<T> &&
    requires(T& transport, T const& constant, std::span<PipelineEdge const> edges, std::size_t edge,
             std::uint32_t needed, PipelineMessage& message, PipelineMessage const& sent,
             MessageTag const& tag, MessageNumbers const& numbers) {
  transport.open(edges, needed, numbers);
  { constant.capacity(edge) } -> std::same_as<std::uint32_t>;
  { transport.try_send(edge, sent) } -> std::same_as<bool>;
  { transport.try_receive(edge, tag, message) } -> std::same_as<bool>;
  transport.clear();
};

}  // namespace weir::inline v1
