#include "weir/mask/design/tiled.hpp"

#include <doctest/doctest.h>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/group.hpp"

using weir::GroupDesign;
using weir::TiledDesign;

TEST_CASE("TiledDesign: over grids with and without tables, cut or not") {
  CHECK(fault_of(TiledDesign(GroupDesign{{7, 9, 4, 2}}, 100, 130, 15)) == "");
  CHECK(fault_of(TiledDesign(GroupDesign{{8, 8, 4}}, 64, 64, 8)) == "");
  CHECK(fault_of(TiledDesign(weir::AffineGeometry(3), 100, 80, 9)) == "");
}

TEST_CASE("TiledDesign: what is known of tiles of group designs") {
  TiledDesign const design(GroupDesign{{16, 16, 8}}, 1024, 1024, 64);
  CHECK(design.nnz() == 131072);
  CHECK(design.row_degree(0) == 128);
  CHECK(TiledDesign(GroupDesign{{16, 16, 4}}, 512, 512, 32).nnz() == 65536);
  CHECK(TiledDesign(GroupDesign{{172, 64, 4}}, 11008, 4096, 64).row_degree(5) == 16 * 64);
  CHECK(TiledDesign(GroupDesign{{172, 64, 4}}, 11008, 4096, 64).column_degree(5) == 43 * 64);
}

TEST_CASE("TiledDesign: sides that the grid does not cover are refused") {
  CHECK_THROWS_WITH_AS(TiledDesign(GroupDesign{{8, 8, 4}}, 65, 64, 8),
                       "outputs 65: 8 tiles of 8 make up 57 to 64", weir::ContractViolation);
  CHECK_THROWS_AS(TiledDesign(GroupDesign{{8, 8, 4}}, 64, 56, 8), weir::ContractViolation);
  CHECK_THROWS_AS(TiledDesign(GroupDesign{{8, 8, 4}}, 8, 8, 0), weir::ContractViolation);
}
