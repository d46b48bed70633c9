#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "weir/comm/message_numbers.hpp"
#include "weir/comm/pipeline_message.hpp"
#include "weir/comm/pipeline_transport.hpp"
#include "weir/comm/remote_stream_transport.hpp"
#include "weir/exec/concepts.hpp"

namespace weir::inline v1 {

/// What carries messages between the workers of a pipeline that are streams, to which one thread enqueues
/// the work of all. It enqueues, too, and never blocks: a message is sent behind what the sender's stream has
/// been given, and what the receiver's stream is given later comes behind its arrival.
///   `open(edges, needed, numbers, executor)` once, before any other call; `needed` messages per edge are
///   enough. `executor` is of the device on which events are recorded.
///   `capacity(edge)`: how many messages it holds that have not been received.
///   `try_send(edge, message, executor)`: true if it has taken over the message, which the stream of
///   `executor` has written.
///   `try_receive(edge, tag, message, executor)`: true if this message was sent; the stream of `executor`
///   then waits for it.
///   `clear()`: forgets what is under way; between runs.
/// Errors: `ContractViolation` that names the tag, for a message that is there twice.
template <class T, class E>
concept StreamTransport = Executor<E> && std::movable<T> &&
    requires(T& transport, T const& constant, std::span<PipelineEdge const> edges, std::size_t edge,
             std::uint32_t needed, PipelineMessage& message, PipelineMessage const& sent,
             MessageTag const& tag, MessageNumbers const& numbers, E const& executor) {
  transport.open(edges, needed, numbers, executor);
  { constant.capacity(edge) } -> std::same_as<std::uint32_t>;
  { transport.try_send(edge, sent, executor) } -> std::same_as<bool>;
  { transport.try_receive(edge, tag, message, executor) } -> std::same_as<bool>;
  transport.clear();
};

/// What carries messages between the workers of a pipeline on this executor: threads that block, or streams.
template <class T, class E>
concept PipelineTransportOn = (HostOrderedExecutor<E> && PipelineTransport<T>) ||
                              (!HostOrderedExecutor<E> &&
                               (StreamTransport<T, E> || RemoteStreamTransport<T, E>));

}  // namespace weir::inline v1
