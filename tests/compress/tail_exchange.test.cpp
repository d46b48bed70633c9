#include "weir/compress/tail_exchange.hpp"

#include <doctest/doctest.h>

#include "support/ranks.hpp"
#include "weir/host/executor.hpp"

TEST_CASE("every rank has the statistics of all") {
  on_ranks(3, [](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    weir::TailExchange exchange(executor, communicator);
    double const x = static_cast<double>(communicator.rank() + 1);
    *exchange.own() = {communicator.rank(), 1, x, x, x, 0.0, 0.5};
    exchange(executor);
    executor.synchronize();
    CHECK(exchange.ranks() == 3);
    CHECK(exchange.merged()->non_finite == 3);
    CHECK(exchange.merged()->participants == 3);
    CHECK(exchange.merged()->smallest == 1.0);
    CHECK(exchange.merged()->largest == 3.0);
    CHECK(exchange.merged()->mean() == 2.0);
    CHECK(exchange.merged()->variance() == 1.0);
  });
}
