#include "weir/compress/measure_compression.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "weir/compress/break_even.hpp"
#include "weir/host/executor.hpp"

TEST_CASE("what compressing takes grows with the bucket, and is what break_even asks for") {
  weir::HostExecutor const executor;
  auto const large = weir::measure_compression(executor, {.elements = 1 << 20, .ranks = 2});
  auto small = large;  // the fastest of several: whatever else runs on this machine only adds to each
  for (int attempt = 0; attempt < 20; ++attempt) {
    auto const time = weir::measure_compression(executor, {.elements = 1 << 12, .ranks = 2});
    CHECK(time.compress > 0.0);
    CHECK(time.decompress > 0.0);
    small.compress = std::min(small.compress, time.compress);
    small.decompress = std::min(small.decompress, time.decompress);
  }
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
