#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "weir/comm/pipeline_transport.hpp"

namespace weir::inline v1 {

/// A transport of a pipeline whose workers are in several processes. It takes along gradients of weights,
/// too, on edges of their own, each of one part of the weights. It copies: a buffer that is sent goes back to
/// its pool when the transport is done with it, and one is given for what is received. Nobody rings when
/// something has happened elsewhere, so it is asked again and again.
///   `trailer_bytes`: room behind each buffer, for the transport.
///   `prefetch`: the receives that a worker posts before they are due.
///   `places(workers)`, before `open`: the process that each worker is in.
///   `is_here(place)`: whether it is this process.
///   `post_receive(edge, tag, message)`: `message` has the buffer; before `try_receive` of the tag.
///   `try_flush(edge)`: whether all that was sent has left. At the end of a worker's run.
///   `cancel()`: this process has failed; the others are told, and their next call throws.
///   `close()`: gives up what is under way. False: buffers may still be written to, or read.
template <class T>
concept RemoteTransport = PipelineTransport<T> &&
    requires(T& transport, T const& constant, std::uint32_t workers, std::size_t edge, MessageTag const& tag,
             PipelineMessage const& message) {
  { T::trailer_bytes } -> std::convertible_to<std::size_t>;
  { T::prefetch } -> std::convertible_to<std::size_t>;
  { transport.places(workers) } -> std::same_as<std::vector<std::size_t>>;
  { constant.is_here(edge) } -> std::same_as<bool>;
  transport.post_receive(edge, tag, message);
  { transport.try_flush(edge) } -> std::same_as<bool>;
  { transport.cancel() }
  noexcept;
  { transport.close() }
  noexcept->std::same_as<bool>;
};

}  // namespace weir::inline v1
