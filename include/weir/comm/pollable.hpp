#pragma once

#include <concepts>

#include "weir/comm/concepts.hpp"
#include "weir/core/clock.hpp"

namespace weir::inline v1 {

/// `poll(deadline)`: waits until all operations called so far have ended, true, or `deadline` has passed,
/// false; throws what has made the communicator unusable.
template <class C>
concept PollableCommunicator = RankedCommunicator<C> &&
    requires(C const c, std::chrono::milliseconds deadline) {
  { c.poll(deadline) } -> std::same_as<bool>;
};

}  // namespace weir::inline v1
