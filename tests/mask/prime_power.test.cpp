#include "weir/mask/prime_power.hpp"

#include <doctest/doctest.h>

#include <cstdint>

namespace {

static_assert(weir::is_prime(2) && weir::is_prime(1019) && !weir::is_prime(1) && !weir::is_prime(1021 * 3));
static_assert(weir::power_modulo(3, 100, 7) == 4);
static_assert(weir::detail::integer_root(0) == 0 && weir::detail::integer_root(24) == 4);
static_assert(weir::detail::integer_root(25) == 5);
static_assert(weir::detail::integer_root(~std::uint64_t{0}) == 0xffff'ffff);
static_assert(weir::detail::is_power_of(1, 3) && weir::detail::is_power_of(81, 3));
static_assert(!weir::detail::is_power_of(0, 3) && !weir::detail::is_power_of(54, 3));

}  // namespace

TEST_CASE("prime_power: every number up to 10,000 against repeated multiplication") {
  std::uint32_t bases[10001] = {};
  for (std::uint32_t p = 2; p <= 10000; ++p) {
    bool prime = true;
    for (std::uint32_t d = 2; d * d <= p; ++d) prime = prime && p % d != 0;
    CHECK(weir::is_prime(p) == prime);
    for (std::uint64_t q = p; prime && q <= 10000; q *= p) bases[q] = p;
  }
  for (std::uint32_t n = 0; n <= 10000; ++n) {
    CAPTURE(n);
    weir::PrimePower const power = weir::prime_power(n);
    REQUIRE(power.prime == bases[n]);
    std::uint64_t product = 1;
    for (std::uint32_t i = 0; i < power.exponent; ++i) product *= power.prime;
    REQUIRE((!power || product == n));
  }
}

TEST_CASE("nearest: numbers of a kind below and above") {
  auto const is_prime = [](std::uint64_t n) { return weir::is_prime(n); };
  CHECK(weir::detail::nearest(8, is_prime) == "7, 11");
  CHECK(weir::detail::nearest(1, is_prime) == "2");
  CHECK(weir::detail::nearest(8, is_prime, 10) == "7");
  CHECK(weir::detail::nearest(1000, is_prime, 10) == "7");
  CHECK(weir::detail::nearest(8, is_prime, 100, 3) == "21, 33");
  CHECK(weir::detail::nearest(
            8, [](std::uint64_t) { return false; }, 100) == "");
  CHECK(weir::detail::nearest(8, is_prime, 0) == "");
  CHECK(weir::detail::with_nearest("no", "") == "no");
  CHECK(weir::detail::with_nearest("no", "5, 7") == "no (nearest: 5, 7)");
}

TEST_CASE("nearest_power: powers are not searched for one by one") {
  using weir::detail::nearest_power;
  CHECK(nearest_power(3, 2) == "2, 4");
  CHECK(nearest_power(1'000'000'000, 2) == "536870912, 1073741824");
  CHECK(nearest_power(1'000'000'000, 2, 1'000'000'000) == "536870912");
  CHECK(nearest_power(~std::uint64_t{0}, 2) == "9223372036854775808");
  CHECK(nearest_power(~std::uint64_t{0}, 3) == "12157665459056928801");
  CHECK(nearest_power(5, 2, 0) == "");
}

TEST_CASE("checked_prime_power: what is too large for an order is said to be") {
  CHECK_THROWS_WITH_AS(weir::detail::checked_prime_power(std::uint64_t{1} << 32),
                       "order 4294967296: too large (nearest: 4294967291)", weir::ContractViolation);
  CHECK_THROWS_WITH_AS(weir::detail::checked_prime_power(0), "order 0: not a prime power (nearest: 2)",
                       weir::ContractViolation);
}
