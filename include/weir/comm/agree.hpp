#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "weir/comm/concepts.hpp"
#include "weir/comm/fingerprint.hpp"
#include "weir/comm/mismatch.hpp"
#include "weir/core/error.hpp"

namespace weir::inline v1 {

/// Gathers a few integers from every rank and waits for them: `mine.size()` words of each, in rank order.
///
/// Streams: for binding. Blocks until the stream has come here on every rank, so each rank calls it from its
/// own thread. Errors: those of the communicator, and what earlier work of the stream has thrown.
template <HostOrderedExecutor E, GatheringCommunicator<E, std::uint64_t> C>
std::vector<std::uint64_t> gather_words_and_wait(C const& communicator, E const& executor,
                                                 std::span<std::uint64_t const> mine) {
  std::vector<std::uint64_t> all(mine.size() * communicator.size());
  communicator.all_gather(executor, TensorView<std::uint64_t const, HostSpace>(mine.data(), mine.size()),
                          view(all));
  executor.synchronize();
  return all;
}

/// Makes sure that all ranks are about to do the same: called before the first use of a bucket, whose layout
/// is in the fingerprint.
///
/// Streams: as `gather_words_and_wait`. Errors: `FingerprintMismatch` on every rank, which names both sides;
/// the communicator is unusable then.
template <HostOrderedExecutor E, GatheringCommunicator<E, std::uint64_t> C>
void agree(C const& communicator, E const& executor, Fingerprint const& mine) {
  using Words = std::array<std::uint64_t, sizeof(Fingerprint) / sizeof(std::uint64_t)>;
  auto const own = std::bit_cast<Words>(mine);
  auto const all = gather_words_and_wait(communicator, executor, own);
  auto const mismatch = detail::find_mismatch(
      communicator.rank(), communicator.size(),
      [&](std::size_t rank) {
        Words of_rank;
        for (std::size_t i = 0; i < of_rank.size(); ++i) of_rank[i] = all[rank * of_rank.size() + i];
        return std::bit_cast<Fingerprint>(of_rank);
      },
      nullptr);
  if (mismatch.empty()) return;
  try {
    gather_words_and_wait(communicator, executor, own);  // all ranks know it before one of them aborts
  } catch (PeerAborted const&) {  // by a rank that saw all of them arrive sooner than this one did
  }
  communicator.abort();
  throw FingerprintMismatch(mismatch);
}

}  // namespace weir::inline v1
