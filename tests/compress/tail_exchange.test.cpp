#include "weir/compress/tail_exchange.hpp"

#include <doctest/doctest.h>

#include "support/ranks.hpp"
#include "weir/host/executor.hpp"

TEST_CASE("every rank has the statistics of all that take part") {
  on_ranks(3, [](weir::ThreadCommunicator const& communicator) {
    weir::HostExecutor const executor;
    weir::TailExchange exchange(executor, communicator);
    double const x = static_cast<double>(communicator.rank() + 1);
    *exchange.own() = {communicator.rank(), 1, x, x, x, 0.0, 0.5};
    exchange(executor, weir::NonFinitePolicy::propagate);
    executor.synchronize();
    weir::SharedTail const& merged = *exchange.merged();
    CHECK(merged.ranks == 3);
    CHECK(merged.tail.non_finite == 3);
    CHECK(merged.tail.participants == 3);
    CHECK(merged.tail.smallest == 1.0);
    CHECK(merged.tail.largest == 3.0);
    CHECK(merged.tail.mean() == 2.0);
    CHECK(merged.tail.variance() == 1.0);
    exchange(executor, weir::NonFinitePolicy::skip);
    executor.synchronize();
    CHECK(merged.ranks == 1);
    CHECK(merged.tail.participants == 1);
    CHECK(merged.tail.largest == 1.0);
  });
}
