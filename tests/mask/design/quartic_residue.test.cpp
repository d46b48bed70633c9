#include "weir/mask/design/quartic_residue.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"

using weir::QuarticResidueDesign;

TEST_CASE("QuarticResidueDesign: both forms of primes") {
  check_exact(QuarticResidueDesign(13), {13, 13, 4, 4, 1});
  CHECK(QuarticResidueDesign(13).differences() == std::vector<std::uint32_t>{0, 1, 3, 9});
  check_exact(QuarticResidueDesign(37), {37, 37, 9, 9, 2});
  check_exact(QuarticResidueDesign(101), {101, 101, 25, 25, 6});
  check_exact(QuarticResidueDesign(109), {109, 109, 28, 28, 7});
  check_exact(QuarticResidueDesign(197), {197, 197, 49, 49, 12});
}

TEST_CASE("is_quartic_order: an even x gives no design") {
  CHECK(weir::is_quartic_order(37));
  CHECK_FALSE(weir::is_quartic_order(5));
  CHECK(weir::is_quartic_order(13));
  CHECK_FALSE(weir::is_quartic_order(17));   // 4 * 2^2 + 1
  CHECK_FALSE(weir::is_quartic_order(325));  // 4 * 9^2 + 1 is no prime
  for (std::uint64_t order = 0; order < 40'000; ++order) {
    bool is_right = false;
    for (std::uint64_t x = 1; 4 * x * x < order; x += 2)
      is_right = is_right || 4 * x * x + 1 == order || 4 * x * x + 9 == order;
    REQUIRE(weir::is_quartic_order(order) == (is_right && order > 5 && weir::is_prime(order)));
  }
}

TEST_CASE("QuarticResidueDesign: what is none is refused, with the nearest, however far") {
  auto const check = [](std::uint64_t order, char const* text) {
    CHECK_THROWS_WITH_AS(QuarticResidueDesign{order}, text, weir::ContractViolation);
  };
  std::string const why = ": a quartic residue design needs a prime 4x^2 + 1 above 5 or 4x^2 + 9, x odd ";
  check(41, ("order 41" + why + "(nearest: 37, 101)").c_str());
  check(5, ("order 5" + why + "(nearest: 13)").c_str());
  check(4'000'000'000, ("order 4000000000" + why + "(nearest: 3997527077, 4004105293)").c_str());
  check(1'000'000'000'000, "order 1000000000000: too large (nearest: 4294705157)");
  check(~std::uint64_t{0}, "order 18446744073709551615: too large (nearest: 4294705157)");
}
