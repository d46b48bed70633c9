#pragma once

#include "weir/comm/concepts.hpp"

namespace weir::inline v1 {

/// Waits itself for a stream with operations of its own and of other communicators, since a peer that never
/// comes would not end them.
template <class C, class E, class... Others>
concept SynchronizingCommunicator = RankedCommunicator<C> && Executor<E> &&
    requires(C const c, E const& e, Others const&... others) {
  c.synchronize(e, others...);
};

/// The caller waits for a stream in which ranks meet, by operations of these communicators.
/// Errors: those of the communicators, where a peer never comes and they can tell.
template <Executor E, RankedCommunicator C, RankedCommunicator... Others>
void wait_for_ranks(E const& point, C const& communicator, Others const&... others) {
  if constexpr (SynchronizingCommunicator<C, E, Others...>) {
    communicator.synchronize(point, others...);
  } else {
    point.synchronize();
  }
}

}  // namespace weir::inline v1
