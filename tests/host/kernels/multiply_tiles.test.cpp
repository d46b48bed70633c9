#include "weir/host/kernels/multiply_tiles.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <utility>

#include "host/masked_reference.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

TEST_CASE("the narrowest vectors give the same products of tiles") {
  weir::GroupDesign grid{{.outputs = 5, .inputs = 7, .group = 2}};
  weir::TiledDesign const design(std::move(grid), 150, 220, 32);
  auto const layout = design.layout();
  auto const values = weir_test::random_values<float>(layout, 1);
  weir_test::Batch<float> x(23, 220, weir::BatchOrder::batch_major), y(23, 150, x.order);
  weir_test::fill_batch(x, 2);
  using Kernel = weir::detail::MultiplyTiles<float, float, float, false>;
  REQUIRE(Kernel::takes(layout.block));
  auto const tiles = weir::detail::entries_of<false>(layout.grid);
  auto const parts = Kernel::parts_of(tiles, layout.block, 23, 2);
  Kernel const kernel{tiles, layout.block, values.data(), x.constant(), y.view(), {}, parts};
  for (std::size_t part = 0; part < parts.count(); ++part) kernel.run<16>(part);
  CHECK(largest_error(expected_product(layout, values, x), y) <= 1e-6);
}

TEST_CASE("lanes are added up in the order of their vectors") {
  weir::Lanes<float, 4> vectors[16];
  for (int i = 0; i < 16; ++i) {
    for (int lane = 0; lane < 4; ++lane) vectors[i][lane] = static_cast<float>(100 * i + lane);
  }
  weir::detail::sum_lanes<float, 4>(vectors);
  for (int i = 0; i < 16; ++i) {
    float const sum = vectors[i / 4][i % 4];
    CHECK(sum == static_cast<float>(400 * i + 6));
  }
}

TEST_CASE("tiles of other sizes are left to others") {
  using Kernel = weir::detail::MultiplyTiles<float, float, float, false>;
  CHECK_FALSE(Kernel::takes(std::size_t{24}));
  CHECK_FALSE(Kernel::takes(std::size_t{1024}));
}

}  // namespace
