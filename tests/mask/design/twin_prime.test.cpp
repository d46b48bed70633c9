#include "weir/mask/design/twin_prime.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/cyclic.hpp"

using weir::TwinPrimeDesign;

TEST_CASE("TwinPrimeDesign: twin primes and prime powers") {
  for (std::uint64_t q : {3u, 5u, 7u, 9u, 11u, 17u, 23u, 25u, 27u, 29u}) {
    std::uint64_t const v = q * (q + 2);
    check_exact(TwinPrimeDesign(q), {v, v, (v - 1) / 2, (v - 1) / 2, (v - 3) / 4});
  }
}

TEST_CASE("cyclic_twin_prime_set: of twin primes it is a difference set of integers") {
  for (std::uint64_t q : {3u, 5u, 11u, 17u, 29u}) {
    std::uint64_t const v = q * (q + 2);
    weir::CyclicDesign const cyclic(static_cast<std::uint32_t>(v), weir::cyclic_twin_prime_set(q));
    check_exact(cyclic, {v, v, (v - 1) / 2, (v - 1) / 2, (v - 3) / 4});
    TwinPrimeDesign const pairs(q);
    auto const pair = [q](std::size_t number) { return number % q * (q + 2) + number % (q + 2); };
    std::size_t differ = 0;
    for (std::size_t row = 0; row < v; ++row) {
      for (std::size_t column = 0; column < v; ++column)
        differ += cyclic.contains(row, column) != pairs.contains(pair(row), pair(column));
    }
    CHECK(differ == 0);
  }
  CHECK_THROWS_WITH_AS(weir::cyclic_twin_prime_set(7),
                       "order 7: a cyclic twin prime design needs odd primes q and q + 2 (nearest: 5, 11)",
                       weir::ContractViolation);
}

TEST_CASE("TwinPrimeDesign: other orders are refused") {
  CHECK_THROWS_WITH_AS(TwinPrimeDesign(13),
                       "order 13: a twin prime design needs odd prime powers q and q + 2 (nearest: 11, 17)",
                       weir::ContractViolation);
  CHECK_THROWS_AS(TwinPrimeDesign(2), weir::ContractViolation);
}
