#include "weir/compress/measure_compression.hpp"

#include <doctest/doctest.h>

#include "weir/compress/break_even.hpp"
#include "weir/host/executor.hpp"

TEST_CASE("what compressing takes grows with the bucket, and is what break_even asks for") {
  weir::HostExecutor const executor;
  auto const small = weir::measure_compression(executor, {.elements = 1 << 12, .ranks = 2});
  auto const large = weir::measure_compression(executor, {.elements = 1 << 20, .ranks = 2});
  CHECK(small.compress > 0.0);
  CHECK(small.decompress > 0.0);
  CHECK(large.compress > small.compress);
  CHECK(large.decompress > small.decompress);
  weir::BreakEvenCase const question{.ranks = 2, .elements = 1 << 20, .time = large};
  double const density = weir::break_even(question).density(weir::SparseMethod::all_gather);
  CHECK(density <
        weir::break_even({.ranks = 2, .elements = 1 << 20}).density(weir::SparseMethod::all_gather));
}

TEST_CASE("a compression that is none is refused") {
  weir::HostExecutor const executor;
  CHECK_THROWS_AS(weir::measure_compression(executor, {.elements = 0}), weir::ContractViolation);
  CHECK_THROWS_AS(weir::measure_compression(executor, {.density = 0.0}), weir::ContractViolation);
  CHECK_THROWS_AS(weir::measure_compression(executor, {.density = 1.5}), weir::ContractViolation);
  CHECK_THROWS_AS(weir::measure_compression(executor, {.repetitions = 0}), weir::ContractViolation);
}
