#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "weir/comm/message_numbers.hpp"
#include "weir/comm/pipeline_message.hpp"
#include "weir/comm/pipeline_transport.hpp"
#include "weir/exec/concepts.hpp"

namespace weir::inline v1 {

/// A message that goes from a buffer of its sender into one of its receiver.
struct StreamTransfer {
  std::size_t edge = 0;
  MessageTag tag = {};
  std::byte const* from = nullptr;  ///< null: another process sends it
  std::byte* to = nullptr;          ///< null: another process receives it
  std::size_t bytes = 0;
};

/// What carries messages between the workers of a pipeline that are streams and do not share their memory:
/// those of several processes, or of several devices. Workers are at places; between two of one place buffers
/// are handed over, without the transport. It enqueues on streams of its own, and is given the transfers in
/// one order, the same for all processes: a transfer that waits for its other side waits for nothing that
/// comes behind it.
///   `places(workers)`, before `open`: where each worker is.
///   `is_here(place)`: whether it is one of this process.
///   `open(edges, numbers, executor)` once, before any other call. `executor` is the pipeline's.
///   `streams()`: its own; `stream(edge)`: the one of these that carries the messages of an edge, on the
///   device of its sender if that is here.
///   `transfer(transfers)`: enqueues a transfer, or two opposite ones, both forward or both backward, that go
///   at once. `from` has been written, and `to` is free, where `stream(edge)` is; it goes on behind them.
///   `check()`, called again and again by who waits: throws when what was enqueued can never end.
///   `oldest()`: after `check` has thrown, the transfer that did not end, if it is known.
///   `cancel()`: this process has failed: ends what hangs on its streams. The others find out by `check`.
///   `clear()`: forgets what is under way; between runs. Errors: `ContractViolation` after `cancel` if it is
///   of no use any more.
/// One that has devices of its own has `executor(place)`, of each place that is here.
template <class T, class E>
concept RemoteStreamTransport = Executor<E> && std::movable<T> &&
    requires(T& transport, T const& constant, std::span<PipelineEdge const> edges, std::size_t edge,
             std::uint32_t number, MessageNumbers const& numbers, std::span<StreamTransfer const> transfers,
             E const& executor) {
  { transport.places(number) } -> std::same_as<std::vector<std::size_t>>;
  { constant.is_here(edge) } -> std::same_as<bool>;
  transport.open(edges, numbers, executor);
  { constant.streams() } -> std::same_as<std::span<E const>>;
  { constant.stream(edge) } -> std::same_as<E const&>;
  transport.transfer(transfers);
  transport.check();
  { constant.oldest() } -> std::same_as<std::optional<StreamTransfer>>;
  { transport.cancel() }
  noexcept;
  transport.clear();
};

}  // namespace weir::inline v1
