#include "weir/gradient/layout_exchange.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "support/ranks.hpp"
#include "weir/host/executor.hpp"

TEST_CASE("Each rank learns what the others run, and where its own micro-batches begin") {
  on_ranks(3, [](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    weir::LayoutExchange exchange(executor, communicator);
    std::size_t const rank = communicator.rank();
    exchange.post(executor, {.workers = rank + 1, .micro_batches = 2, .local_batch = 8}, 42);
    executor.synchronize();
    auto const layout = exchange.layout();
    CHECK(layout.rank == rank);
    REQUIRE(layout.ranks.size() == 3);
    CHECK(layout.ranks[2].workers == 3);
    CHECK(layout.first_micro_batch() == rank * (rank + 1));
    CHECK(layout.total_micro_batches() == 12);
  });
}

TEST_CASE("Another local batch or bucket plan is an error on all ranks, with both values") {
  on_ranks(3, [](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    weir::LayoutExchange exchange(executor, communicator);
    bool const is_last = communicator.rank() == 2;
    exchange.post(executor, {.workers = 1, .micro_batches = 1, .local_batch = is_last ? 16u : 8u}, 42);
    executor.synchronize();
    CHECK_THROWS_WITH_AS((void)exchange.layout(),
                         "the local batch differs between ranks: 16 on rank 2, 8 on rank 0",
                         weir::FingerprintMismatch);
    exchange.post(executor, {.workers = 1, .micro_batches = 1, .local_batch = 8}, is_last ? 43u : 42u);
    executor.synchronize();
    CHECK_THROWS_WITH_AS((void)exchange.layout(), doctest::Contains("bucket plan"),
                         weir::FingerprintMismatch);
  });
}

TEST_CASE("One integer is summed over the ranks") {
  on_ranks(2, [](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    weir::LayoutExchange exchange(executor, communicator);
    std::uint64_t sum = 0;
    executor.submit(
        [&](weir::HostExecutor const& point) { sum = exchange.sum(point, communicator.rank() + 20); });
    executor.synchronize();
    CHECK(sum == 41);
  });
}
