#pragma once

#include "weir/comm/concepts.hpp"

namespace weir::inline v1 {

/// Waits itself for a stream with its operations, since a peer that never comes would not end them.
template <class C, class E>
concept SynchronizingCommunicator = RankedCommunicator<C> && Executor<E> && requires(C const c, E const& e) {
  c.synchronize(e);
};

/// The caller waits for a stream in which the ranks meet.
/// Errors: those of the communicator, where a peer never comes and it can tell.
template <Executor E, RankedCommunicator C>
void wait_for_ranks(E const& point, C const& communicator) {
  if constexpr (SynchronizingCommunicator<C, E>) {
    communicator.synchronize(point);
  } else {
    point.synchronize();
  }
}

}  // namespace weir::inline v1
