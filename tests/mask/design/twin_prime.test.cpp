#include "weir/mask/design/twin_prime.hpp"

#include <doctest/doctest.h>

#include <cstdint>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"

using weir::TwinPrimeDesign;

TEST_CASE("TwinPrimeDesign: twin primes and prime powers") {
  for (std::uint64_t q : {3u, 5u, 7u, 9u, 11u, 17u, 23u, 25u, 27u, 29u}) {
    std::uint64_t const v = q * (q + 2);
    check_exact(TwinPrimeDesign(q), {v, v, (v - 1) / 2, (v - 1) / 2, (v - 3) / 4});
  }
}

TEST_CASE("TwinPrimeDesign: other orders are refused") {
  CHECK_THROWS_WITH_AS(TwinPrimeDesign(13),
                       "order 13: a twin prime design needs odd prime powers q and q + 2 (nearest: 11, 17)",
                       weir::ContractViolation);
  CHECK_THROWS_AS(TwinPrimeDesign(2), weir::ContractViolation);
}
