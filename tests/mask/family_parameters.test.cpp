#include "weir/mask/family_parameters.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "weir/core/error.hpp"

namespace {

using weir::DesignParameters;
using weir::family_shape;
using weir::FamilyParameters;

static_assert(family_shape("affine-plane", {4}).parameters == DesignParameters{16, 20, 5, 4, 1});
static_assert(family_shape("affine-geometry", {8, 3}).parameters == DesignParameters{512, 584, 73, 64, 9});
static_assert(family_shape("projective-geometry", {4, 3}).parameters == DesignParameters{85, 85, 21, 21, 5});
static_assert(family_shape("steiner-triple", {0, 0, 25, 2}).parameters == DesignParameters{13, 26, 6, 3, 1});
static_assert(family_shape("complement-of:paley", {11}).parameters == DesignParameters{11, 11, 6, 6, 3});
static_assert(family_shape("derived-of:paley", {11}).parameters == DesignParameters{5, 10, 4, 2, 1});
static_assert(family_shape("residual-of:paley", {11}).parameters == DesignParameters{6, 10, 5, 3, 2});
static_assert(family_shape("residual-of:affine-plane", {4}).parameters == DesignParameters{});
static_assert(weir::is_fixed_family("complement-of:residual-of:paley") && !weir::is_fixed_family("net"));

void check_refused(std::string const& name, FamilyParameters const& given, std::string const& text) {
  CAPTURE(name);
  CHECK_THROWS_WITH_AS(weir::checked_family_parameters(name, given), text.c_str(), weir::ContractViolation);
}

}  // namespace

TEST_CASE("family_shape: what is kept as a difference set has no bound of entries") {
  CHECK(family_shape("projective-plane", {1621}).fits);
  CHECK(family_shape("complement-of:projective-plane", {1621}).fits);
  CHECK(family_shape("paley", {1'000'003}).fits);
  CHECK_FALSE(family_shape("derived-of:paley", {1'000'003}).fits);
  CHECK(family_shape("affine-plane", {1621}).fits);
  CHECK_FALSE(family_shape("affine-plane", {1627}).fits);
  CHECK_FALSE(family_shape("affine-geometry", {2, ~std::uint64_t{0}}).fits);
  CHECK_FALSE(family_shape("paley", {std::uint64_t{1} << 32}).fits);
}

TEST_CASE("checked_family_parameters: what would have too many entries is refused before it is made") {
  check_refused("affine-plane", {2048}, "order 2048: too large for a design of dimension 2 (nearest: 1621)");
  check_refused("affine-plane", {1'000'000'000'000},
                "order 1000000000000: too large for a design of dimension 2 (nearest: 1621)");
  check_refused("complement-of:affine-plane", {509},
                "order 509: too large for a design of dimension 2 (nearest: 256)");
  check_refused("affine-geometry", {64, 5}, "dimension 5: too large with order 64 (nearest: 3)");
  check_refused("affine-geometry", {2, ~std::uint64_t{0}},
                "dimension 18446744073709551615: too large with order 2 (nearest: 16)");
  check_refused("projective-geometry", {2, ~std::uint64_t{0}},
                "dimension 18446744073709551615: too large with order 2 (nearest: 30)");
  check_refused("derived-of:projective-geometry", {2, 29},
                "dimension 29: too large with order 2 (nearest: 16)");
  check_refused("derived-of:projective-plane", {1'000'000},
                "order 1000000: too large for a design of dimension 2");  // which has lambda 1
  check_refused(
      "paley", {1'162'261'467},  // 3^19
      "order 1162261467: too large for lists of 2^32 - 1 entries (nearest: 1162261447, 1162261523)");
  check_refused("derived-of:paley", {4'294'967'291},
                "order 4294967291: too large for lists of 2^32 - 1 entries (nearest: 131071)");
  check_refused("residual-of:quartic-residue", {3'997'527'077},
                "order 3997527077: too large for lists of 2^32 - 1 entries (nearest: 148997)");
  check_refused("twin-prime", {727},
                "order 727: too large for lists of 2^32 - 1 entries (nearest: 659, 809)");
  check_refused("complement-of:steiner-triple", {0, 0, 5001, 1},
                "inputs 5001: too large for lists of 2^32 - 1 entries (nearest: 2955)");
  check_refused("complement-of:steiner-triple", {0, 0, 10'002, 2},
                "inputs 10002: too large for lists of 2^32 - 1 entries (nearest: 5910)");
}

TEST_CASE("checked_family_parameters: the nearest member is named, however far") {
  check_refused("steiner-triple", {0, 0, 0xffff'ffff}, "inputs 4294967295: too large (nearest: 65535)");
  check_refused("steiner-triple", {0, 0, 22, 2},
                "inputs 22: a Steiner triple system needs 6t + 1 or 6t + 3 tiles, from 7 (nearest: 18, 26)");
  check_refused("twin-prime", {1'000'000'000}, "order 1000000000: too large (nearest: 65519)");
  check_refused("paley", {std::uint64_t{1} << 40}, "order 1099511627776: too large (nearest: 4294967291)");
  check_refused("quartic-residue", {1'000'000'000'000},
                "order 1000000000000: too large (nearest: 4294705157)");
}

TEST_CASE("checked_family_parameters: what is named as nearest fits") {
  for (char const* name : {"affine-plane", "projective-plane"})
    check_refused(name, {1620}, "order 1620: not a prime power (nearest: 1619, 1621)");
  check_refused("affine-plane", {1625}, "order 1625: not a prime power (nearest: 1621)");
  check_refused("projective-plane", {1625}, "order 1625: not a prime power (nearest: 1621)");
  check_refused("affine-geometry", {6, 12}, "order 6: not a prime power (nearest: 2)");
  check_refused("paley", {177'146},
                "order 177146: a Paley design needs a prime power of the form 4i + 3, at least 7 "
                "(nearest: 177131, 177167)");
  check_refused("twin-prime", {726},
                "order 726: a twin prime design needs odd prime powers q and q + 2 (nearest: 659, 809)");
  check_refused("derived-of:paley", {131'072},
                "order 131072: a Paley design needs a prime power of the form 4i + 3, at least 7 "
                "(nearest: 131071)");
  check_refused("complement-of:steiner-triple", {0, 0, 5000},
                "inputs 5000: a Steiner triple system needs 6t + 1 or 6t + 3, from 7 to 65535 "
                "(nearest: 2955)");
  check_refused("residual-of:affine-plane", {100'000},
                "order 100000: too large for a design of dimension 2");  // which is not symmetric
  check_refused("steiner-triple", {.inputs = 7, .block = 0}, "block-size 0: 1 or more would be right");
  check_refused(
      "residual-of:steiner-triple", {0, 0, 72, 8},
      "family residual-of:steiner-triple: the design has 96 outputs and 72 inputs; a symmetric one, "
      "with as many, would be right");
}

TEST_CASE("checked_family_parameters: only 7 points have symmetric triples") {
  using weir::checked_family_parameters;
  FamilyParameters const seven = {0, 0, 7};
  CHECK(checked_family_parameters("residual-of:steiner-triple", seven) == DesignParameters{4, 6, 3, 2, 1});
  CHECK(checked_family_parameters("derived-of:complement-of:steiner-triple", seven) ==
        DesignParameters{4, 6, 3, 2, 1});
  CHECK(checked_family_parameters("residual-of:complement-of:steiner-triple", seven) ==
        DesignParameters{3, 6, 4, 2, 2});
  check_refused("residual-of:steiner-triple", {0, 0, 9},
                "family residual-of:steiner-triple: the design has 12 outputs and 9 inputs; a symmetric one, "
                "with as many, would be right");
}
