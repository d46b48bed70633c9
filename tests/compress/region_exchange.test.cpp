#include "weir/compress/region_exchange.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "comm/thread_ranks.hpp"

TEST_CASE("every rank has the pairs of its region from all ranks, in rank order") {
  on_all_thread_ranks(3, [](weir::ThreadCommunicator const& communicator,
                            weir::HostExecutor const& executor) {
    weir::detail::PairExchange<weir::ThreadCommunicator, weir::HostExecutor> exchange(executor, communicator);
    weir::detail::RegionExchange<float, weir::HostExecutor> regions(executor, 3, {{3, 10, 3}, 9});
    std::size_t const boundaries[] = {0, 2, 2, 10};  // the second region is empty
    for (std::size_t r = 0; r < 4; ++r) regions.set_boundary(r, boundaries[r]);
    float const own = static_cast<float>(communicator.rank());
    std::vector<std::uint32_t> const indices = {1, 2, 9};
    std::vector<float> const values = {own, own + 10, own + 20};
    executor.submit([&](weir::HostExecutor const& point) {
      regions.exchange(exchange, point, {indices.data(), values.data(), communicator.rank() == 1 ? 1u : 3u});
    });
    executor.synchronize();
    CHECK(regions.begin(2) == 2);
    CHECK(regions.end(2) == 10);
    CHECK(regions.sent_to(0).count == 1);
    CHECK(regions.sent_to(1).count == 0);
    for (std::size_t rank = 0; rank < 3; ++rank) {
      auto const list = regions.lists()[rank];
      float const theirs = static_cast<float>(rank);
      if (communicator.rank() == 0) {
        REQUIRE(list.count == 1);
        CHECK(list.indices[0] == 1);
        CHECK(list.values[0] == theirs);
      } else if (communicator.rank() == 1) {
        CHECK(list.count == 0);
      } else {
        REQUIRE(list.count == (rank == 1 ? 0 : 2));
        if (list.count == 2) CHECK(list.values[1] == theirs + 20);
      }
    }
  });
}
