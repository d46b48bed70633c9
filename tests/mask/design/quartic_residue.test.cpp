#include "weir/mask/design/quartic_residue.hpp"

#include <doctest/doctest.h>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"

using weir::QuarticResidueDesign;

TEST_CASE("QuarticResidueDesign: both forms of primes") {
  check_exact(QuarticResidueDesign(37), {37, 37, 9, 9, 2});
  check_exact(QuarticResidueDesign(101), {101, 101, 25, 25, 6});
  check_exact(QuarticResidueDesign(109), {109, 109, 28, 28, 7});
  check_exact(QuarticResidueDesign(197), {197, 197, 49, 49, 12});
}

TEST_CASE("is_quartic_order: an even x gives no design") {
  CHECK(weir::is_quartic_order(37));
  CHECK_FALSE(weir::is_quartic_order(5));
  CHECK_FALSE(
      weir::is_quartic_order(13));  // k would be 4, but 4 + 9 has lambda 1: the plane of order 3 is elsewhere
  CHECK_FALSE(weir::is_quartic_order(17));   // 4 * 2^2 + 1
  CHECK_FALSE(weir::is_quartic_order(325));  // 4 * 9^2 + 1 is no prime
  CHECK_THROWS_AS(QuarticResidueDesign(41), weir::ContractViolation);
}
