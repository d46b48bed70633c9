#include "weir/mask/group_order.hpp"

#include <doctest/doctest.h>

#include <cstdint>

#include "weir/core/error.hpp"

using namespace weir::detail;

TEST_CASE("check_group_order: what goes into a shape") {
  CHECK_NOTHROW(check_group_order(16, 16, 784, false));
  CHECK_THROWS_WITH_AS(check_group_order(32, 16, 784, false),
                       "order 32: at most 16 goes into 16 x 784 (nearest: 16)", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(check_group_order(32, 15, 784, true),
                       "order 32: at most 15 goes into 15 x 784 tiles (nearest: 13)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(check_group_order(std::uint64_t{1} << 40, 1 << 20, 1 << 20, false),
                       "order 1099511627776: at most 65535 goes into 1048576 x 1048576 (nearest: 65521)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(check_group_order(6, 6, 6, false), "order 6: not a prime power (nearest: 5)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(check_group_order(2, 1, 5, false),
                       "order 2: none goes into 1 x 5; leaving it out, for the full mask, would be right",
                       weir::ContractViolation);
}

TEST_CASE("checked_group_side: of a whole design") {
  CHECK(checked_group_side(8, 2) == 128);
  CHECK(checked_group_side(65521, 1) == std::size_t{65521} * 65521);
  auto const check = [](std::uint64_t order, std::uint64_t lambda, char const* text) {
    CHECK_THROWS_WITH_AS(checked_group_side(order, lambda), text, weir::ContractViolation);
  };
  check(8, 3, "lambda 3: with order 8 a power of 2 would be right (nearest: 2, 4)");
  check(9, 4, "lambda 4: with order 9 a power of 3 would be right (nearest: 3, 9)");
  check(4, 1'000'000'000, "lambda 1000000000: with order 4 a power of 2 would be right (nearest: 134217728)");
  check(4096, 4096, "lambda 4096: too large with order 4096 (nearest: 128)");
  check(65536, 2, "order 65536: too large (nearest: 32768)");
  check(65537, 2, "order 65537: too large (nearest: 32768)");
  check(std::uint64_t{1} << 32, 1, "order 4294967296: too large (nearest: 65521)");
  check(6, 1, "order 6: not a prime power (nearest: 5, 7)");
}

TEST_CASE("checked_group_levels: all of a power of two, else one or all but one") {
  CHECK(checked_group_levels(8, 5) == 5);
  CHECK(checked_group_levels(9, 8) == 8);
  CHECK_THROWS_WITH_AS(checked_group_levels(9, 5),
                       "order 9: only densities 1/9 and 8/9 are possible; for others a power of two would be "
                       "right (nearest: 8, 16)",
                       weir::ContractViolation);
  CHECK_THROWS_WITH_AS(checked_group_levels(65521, 5), doctest::Contains("(nearest: 32768)"),
                       weir::ContractViolation);
}
