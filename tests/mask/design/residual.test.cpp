#include "weir/mask/design/residual.hpp"

#include <doctest/doctest.h>

#include "mask/design/family_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/paley.hpp"
#include "weir/mask/design/projective_geometry.hpp"

TEST_CASE("residual: row 0 is dropped and the columns are kept that it does not have") {
  check_exact(weir::residual(weir::ProjectiveGeometry(4)), {16, 20, 5, 4, 1});
  check_exact(weir::residual(weir::PaleyDesign(11)), {6, 10, 5, 3, 2});
  check_exact(weir::residual(weir::PaleyDesign(27)), {14, 26, 13, 7, 6});
  CHECK_THROWS_AS(weir::residual(weir::AffineGeometry(3)), weir::ContractViolation);
}
