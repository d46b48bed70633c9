#pragma once

#include <concepts>
#include <cstddef>
#include <span>

namespace weir::inline v1 {

/// Brings a few bytes from rank 0 to all ranks before there is a communicator: `exchange(rank, bytes)`,
/// called on every rank with a span of the same size, leaves in it what rank 0 had. Blocks. A lambda is one.
template <class Exchange>
concept ByteExchange = std::invocable<Exchange&, std::size_t, std::span<std::byte>>;

}  // namespace weir::inline v1
