#include "weir/mask/design/derived.hpp"

#include <doctest/doctest.h>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/projective_geometry.hpp"

TEST_CASE("derived: row 0 is dropped and its columns are kept") {
  check_exact(weir::derived(weir::PaleyDesign(11)), {5, 10, 4, 2, 1});
  check_exact(weir::derived(weir::PaleyDesign(27)), {13, 26, 12, 6, 5});
  check_exact(weir::derived(weir::ProjectiveGeometry(3, 3)), {13, 39, 12, 4, 3});
}

TEST_CASE("derived: a design that is not symmetric has none") {
  CHECK_THROWS_WITH_AS(
      weir::derived(weir::AffineGeometry(3)),
      "derived and residual designs: the design must be symmetric, but it has 12 outputs and 9 inputs",
      weir::ContractViolation);
}
