#include "weir/mask/design/dual.hpp"

#include <doctest/doctest.h>

#include <cstddef>

#include "mask/design_checks.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/group.hpp"

TEST_CASE("dual: the transposed matrix over the same values, and its own inverse") {
  weir::AffineGeometry const plane(4);
  auto const turned = weir::dual(plane);
  CHECK(fault_of(turned) == "");
  CHECK(turned.outputs() == 16);
  for (std::size_t r = 0; r < 20; ++r) {
    for (std::size_t c = 0; c < 16; ++c) CHECK(turned.contains(c, r) == plane.contains(r, c));
  }
  CHECK(turned.value_index(3, 2) == plane.value_index_transposed(3, 2));
  CHECK(matrix_of(weir::dual(turned)) == matrix_of(plane));
}

TEST_CASE("dual: of a cut group design") {
  CHECK(fault_of(weir::dual(weir::GroupDesign{{29, 43, 8, 3}})) == "");
}
