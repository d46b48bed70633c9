#include "weir/nccl/turn.hpp"

#include <doctest/doctest.h>

using weir::CommOperation;
using weir::detail::NcclTurn;

TEST_CASE("one turn at a time, and one after another") {
  std::atomic<bool> is_taken = false;
  for (int i = 0; i < 2; ++i) {
    NcclTurn const turn(is_taken, CommOperation::all_reduce, 3);
    CHECK(is_taken);
    CHECK_THROWS_WITH_AS(
        NcclTurn(is_taken, CommOperation::broadcast, 3),
        "broadcast: another thread is in an operation of rank 3; a communicator has one issuing "
        "order, so call it from one thread, or split it",
        weir::ContractViolation);
    CHECK(is_taken);
  }
  CHECK_FALSE(is_taken);
}
