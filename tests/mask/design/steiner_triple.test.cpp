#include "weir/mask/design/steiner_triple.hpp"

#include <doctest/doctest.h>

#include <cstdint>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"

using weir::SteinerTripleSystem;

TEST_CASE("SteinerTripleSystem: every order up to 103") {
  for (std::uint64_t v = 7; v <= 103; ++v) {
    if (v % 6 == 1 || v % 6 == 3)
      check_exact(SteinerTripleSystem(v), {v, v * (v - 1) / 6, (v - 1) / 2, 3, 1});
  }
}

TEST_CASE("SteinerTripleSystem: other orders are refused") {
  CHECK_THROWS_WITH_AS(
      SteinerTripleSystem(11),
      "inputs 11: a Steiner triple system needs 6t + 1 or 6t + 3, from 7 to 65535 (nearest: 9, 13)",
      weir::ContractViolation);
  CHECK_THROWS_AS(SteinerTripleSystem(3), weir::ContractViolation);
}
