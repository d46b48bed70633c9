#include "weir/mask/prime_power.hpp"

#include <doctest/doctest.h>

#include <cstdint>

namespace {

static_assert(weir::is_prime(2) && weir::is_prime(1019) && !weir::is_prime(1) && !weir::is_prime(1021 * 3));
static_assert(weir::power_modulo(3, 100, 7) == 4);

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
}
