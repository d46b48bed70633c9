#include "weir/mask/design/paley.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/cyclic.hpp"

using weir::PaleyDesign;

TEST_CASE("PaleyDesign: primes and prime powers of the form 4i + 3") {
  for (std::uint64_t q : {7u, 11u, 19u, 23u, 27u, 31u, 127u, 243u, 343u})
    check_exact(PaleyDesign(q), {q, q, (q - 1) / 2, (q - 1) / 2, (q - 3) / 4});
}

TEST_CASE("paley_set: for a prime it is a difference set of integers") {
  CHECK(weir::paley_set(7) == std::vector<std::uint32_t>{1, 2, 4});
  check_exact(weir::CyclicDesign(1019, weir::paley_set(1019)), {1019, 1019, 509, 509, 254});
}

TEST_CASE("PaleyDesign: other orders are refused") {
  char const* const text =
      "order 13: a Paley design needs a prime power of the form 4i + 3, at least 7 (nearest: 11, 19)";
  CHECK_THROWS_WITH_AS(PaleyDesign(13), text, weir::ContractViolation);
  CHECK_THROWS_AS(PaleyDesign(3), weir::ContractViolation);
  CHECK_THROWS_AS(PaleyDesign(15), weir::ContractViolation);
}
