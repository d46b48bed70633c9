#include "weir/comm/reduce_op.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("reduce operators have names") {
  CHECK(std::string(name_of(weir::ReduceOp::sum)) == "sum");
  CHECK(std::string(name_of(weir::ReduceOp::max)) == "max");
  CHECK(std::string(name_of(weir::ReduceOp::min)) == "min");
  CHECK(std::string(name_of(weir::ReduceOp::bit_or)) == "bit_or");
  CHECK(std::string(name_of(static_cast<weir::ReduceOp>(9))) == "unknown");
}
