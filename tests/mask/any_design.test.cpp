#include "weir/mask/any_design.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "mask/design_checks.hpp"
#include "weir/core/error.hpp"
#include "weir/mask/design/affine_geometry.hpp"
#include "weir/mask/design/random.hpp"

namespace {

using weir::AnyDesign;
using weir::GroupDesign;

static_assert(weir::SearchableDesign<AnyDesign>);

}  // namespace

TEST_CASE("AnyDesign: is the design that was put in, and kernels see its layout") {
  GroupDesign const group{{29, 43, 8, 3}};
  weir::CyclicDesign const cyclic(7, {1, 2, 4});
  CHECK(fault_of(AnyDesign(group)) == "");
  CHECK(matrix_of(AnyDesign(group)) == matrix_of(group));
  CHECK(matrix_of(AnyDesign(cyclic)) == matrix_of(cyclic));
  AnyDesign(group).visit([](auto const& layout) {
    CHECK(std::is_same_v<decltype(layout), weir::GroupLayout const&>);
    CHECK(layout.nnz() == GroupDesign({29, 43, 8, 3}).nnz());
  });
  CHECK(AnyDesign(cyclic).table_bytes() == 12);
}

TEST_CASE("AnyDesign: other designs are indexed, with 16 bits where that is enough") {
  AnyDesign const plane = AnyDesign::of(weir::AffineGeometry(4));
  CHECK(matrix_of(plane) == matrix_of(weir::AffineGeometry(4)));
  plane.visit([](auto const& layout) {
    CHECK(std::is_same_v<decltype(layout), weir::IndexedLayout<std::uint16_t> const&>);
  });
}

TEST_CASE("AnyDesign: from 65,537 inputs or outputs on an index takes 32 bits") {
  auto const bits = [](std::size_t outputs, std::size_t inputs) {
    return AnyDesign::of(weir::random_mask(outputs, inputs, 40, 1)).visit([](auto const& layout) {
      using Layout = std::remove_cvref_t<decltype(layout)>;
      return std::is_same_v<Layout, weir::IndexedLayout<std::uint32_t>>   ? 32
             : std::is_same_v<Layout, weir::IndexedLayout<std::uint16_t>> ? 16
                                                                          : 0;
    });
  };
  CHECK(bits(2, 65'536) == 16);
  CHECK(bits(2, 65'537) == 32);
  CHECK(bits(65'536, 2) == 16);
  CHECK(bits(65'537, 2) == 32);
}

TEST_CASE("AnyDesign: tiles over any grid") {
  AnyDesign const grid = GroupDesign{{7, 9, 4, 2}};
  AnyDesign const tiles = grid.tiled(100, 130, 15);
  CHECK(fault_of(tiles) == "");
  CHECK(matrix_of(tiles) == matrix_of(weir::TiledDesign(GroupDesign{{7, 9, 4, 2}}, 100, 130, 15)));
  tiles.visit([](auto const& layout) {
    CHECK(std::is_same_v<decltype(layout), weir::TiledLayout<weir::GroupLayout> const&>);
  });
  CHECK(grid.tiled(7, 9, 1).block() == 1);
  CHECK_THROWS_AS(grid.tiled(100, 140, 15), weir::ContractViolation);
  CHECK_THROWS_AS(tiles.tiled(1000, 1300, 10), weir::ContractViolation);
}

TEST_CASE("AnyDesign: the complement keeps its form") {
  AnyDesign const tiles = AnyDesign(GroupDesign{{7, 9, 4}}).tiled(100, 130, 15);
  AnyDesign const others = tiles.complement();
  CHECK(others.nnz() == 100 * 130 - tiles.nnz());
  CHECK(others.block() == 15);
  CHECK(AnyDesign(weir::CyclicDesign(7, {1, 2, 4})).complement().table_bytes() == 16);
}
