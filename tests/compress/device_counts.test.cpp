#include "weir/compress/device_counts.hpp"

#include <doctest/doctest.h>

#include <cstdint>

#include "support/device_like.hpp"
#include "support/ranks.hpp"

TEST_CASE("the largest count of all ranks is known when the caller has waited once") {
  on_ranks(3, [](weir::ThreadCommunicator const& threads) {
    DeviceLikeExecutor const executor;
    weir::detail::DeviceCounts<DeviceLikeExecutor, DeviceLikeCommunicator> counts(
        executor, DeviceLikeCommunicator(threads));
    for (std::uint64_t turn = 0; turn < 2; ++turn) {
      std::uint64_t const own = 10 * turn + (threads.rank() == 1 ? 7 : threads.rank());
      CHECK(counts.largest(executor, &own) == 10 * turn + 7);
    }
    CHECK(executor.waits() == 2);
  });
}
