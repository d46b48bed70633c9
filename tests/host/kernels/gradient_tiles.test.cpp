#include "weir/host/kernels/gradient_tiles.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

void check_widths(std::uint32_t block) {
  CAPTURE(block);
  weir::GroupDesign grid{{.outputs = 4, .inputs = 6, .group = 2}};
  weir::TiledDesign const design(std::move(grid), 4 * block - 8, 6 * block - 12, block);
  auto const layout = design.layout();
  weir_test::Batch<float> x(150, design.inputs(), weir::BatchOrder::batch_major),
      dy(150, design.outputs(), x.order);
  weir_test::fill_batch(x, 2);
  weir_test::fill_batch(dy, 3);
  std::vector<float> gradient;
  using Kernel = weir::detail::GradientTiles<float, float>;
  auto const tiles = weir::detail::entries_of<false>(layout.grid);
  with_each_product_width(
      [&] {
        gradient.assign(layout.value_count(), 4.0f);
        return Kernel{tiles,
                      layout.block,
                      dy.constant(),
                      x.constant(),
                      0,
                      gradient.data(),
                      weir::GradientMode::overwrite,
                      Kernel::parts_of(tiles, layout.block, 150, 2)};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(largest_error(expected_gradient(layout, dy, x), gradient) <= 1e-5);
      });
}

TEST_CASE("vectors of each width give the same gradient of tiles of any side, padding zero") {
  for (std::uint32_t block : {16u, 32u, 48u, 64u}) check_widths(block);
}

}  // namespace
