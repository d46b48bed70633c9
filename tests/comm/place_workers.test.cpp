#include "weir/comm/place_workers.hpp"

#include <doctest/doctest.h>

using weir::detail::place_workers;

TEST_CASE("workers are divided over the ranks, or are where they were asked to be") {
  CHECK(place_workers("Transport", {}, 5, 2) == std::vector<std::size_t>{0, 0, 0, 1, 1});
  CHECK(place_workers("Transport", {}, 3, 3) == std::vector<std::size_t>{0, 1, 2});
  CHECK(place_workers("Transport", {1, 0, 1}, 3, 2) == std::vector<std::size_t>{1, 0, 1});
}

TEST_CASE("a placement that cannot be is refused, with what there is") {
  CHECK_THROWS_WITH_AS(place_workers("Transport", {}, 2, 3),
                       "Transport: 2 workers for 3 ranks: at least one for each would be right",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(place_workers("Transport", {0, 2}, 2, 2), "Transport: a worker on rank 2, there are 2",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(place_workers("Transport", {0}, 2, 2),
                       "Transport: ranks for 1 workers, the table has 2", weir::ContractViolation);
}
