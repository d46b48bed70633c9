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

TEST_CASE("TiledDesign: more than 2^32 values keep their places") {
  TiledDesign const design(GroupDesign{{2048, 2048, 4}}, 131'072, 131'072, 64);
  std::size_t const count = std::size_t{1} << 32;
  CHECK(design.nnz() == count);
  CHECK(design.value_count() == count);
  CHECK(design.value_index(131'071, 32'767) == count - 1);
  for (std::size_t row : {65'535u, 65'536u, 131'071u}) {
    for (std::size_t slot : {0u, 63u, 64u, 32'767u}) {
      CAPTURE(row);
      CAPTURE(slot);
      std::size_t const index = design.value_index(row, slot);
      std::size_t const tile = row / 64 / 4 * 512 * 4 + slot / 64 * 4 + row / 64 % 4;
      CHECK(index == (tile * 64 + row % 64) * 64 + slot % 64);
      std::size_t const column = design.column(row, slot);
      CHECK(design.value_index_transposed(column, design.column_slot(column, row)) == index);
    }
  }
}

TEST_CASE("TiledDesign: sides that the grid does not cover are refused") {
  CHECK_THROWS_WITH_AS(TiledDesign(GroupDesign{{8, 8, 4}}, 65, 64, 8),
                       "outputs 65: 8 tiles of 8 make up 57 to 64", weir::ContractViolation);
  CHECK_THROWS_AS(TiledDesign(GroupDesign{{8, 8, 4}}, 64, 56, 8), weir::ContractViolation);
  CHECK_THROWS_AS(TiledDesign(GroupDesign{{8, 8, 4}}, 8, 8, 0), weir::ContractViolation);
}
