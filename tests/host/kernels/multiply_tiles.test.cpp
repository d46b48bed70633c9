#include "weir/host/kernels/multiply_tiles.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <utility>

#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

template <class Element, bool Transposed>
void check_widths(double tolerance) {
  weir::GroupDesign grid{{.outputs = 5, .inputs = 7, .group = 2}};
  weir::TiledDesign const design(std::move(grid), 150, 220, 32);
  auto const layout = design.layout();
  auto const values = weir_test::random_values<Element>(layout, 1);
  weir_test::Batch<Element> in(23, Transposed ? 150 : 220, weir::BatchOrder::batch_major),
      out(23, Transposed ? 220 : 150, in.order);
  weir_test::fill_batch(in, 2);
  auto expected = Transposed ? expected_transposed(layout, values, in) : expected_product(layout, values, in);
  for (double& scale : expected.scale) scale = std::fmax(scale, 0x1p-14);
  using Kernel = weir::detail::MultiplyTiles<Element, Element, Element, Transposed>;
  REQUIRE(Kernel::takes(layout.block));
  auto const tiles = weir::detail::entries_of<Transposed>(layout.grid);
  auto const nothing = out.elements;
  with_each_product_width(
      [&] {
        out.elements = nothing;
        return Kernel{tiles,
                      layout.block,
                      values.data(),
                      in.constant(),
                      out.view(),
                      {},
                      Kernel::parts_of(tiles, layout.block, 23, 2)};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(largest_error(expected, out) <= tolerance);
      });
}

TEST_CASE("vectors of each width give the same products of tiles, forwards and transposed") {
  check_widths<float, false>(1e-6);
  check_widths<float, true>(1e-6);
  check_widths<double, true>(1e-14);
  check_widths<weir::bfloat16, false>(0x1p-8);
  check_widths<weir::half, true>(0x1p-11);
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
