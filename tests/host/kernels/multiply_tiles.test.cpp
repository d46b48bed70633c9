#include "weir/host/kernels/multiply_tiles.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "host/kernels/product_widths.hpp"
#include "host/masked_reference.hpp"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/tiled.hpp"

namespace {

template <class Element, bool Transposed>
void check_widths(double tolerance, bool with_epilogue) {
  weir::GroupDesign grid{{.outputs = 5, .inputs = 7, .group = 2}};
  weir::TiledDesign const design(std::move(grid), 150, 220, 32);
  auto const layout = design.layout();
  auto const values = weir_test::random_values<Element>(layout, 1);
  weir_test::Batch<Element> in(23, Transposed ? 150 : 220, weir::BatchOrder::batch_major),
      out(23, Transposed ? 220 : 150, in.order);
  weir_test::fill_batch(in, 2);
  auto expected = Transposed ? expected_transposed(layout, values, in) : expected_product(layout, values, in);
  for (double& scale : expected.scale) scale = std::fmax(scale, 0x1p-14);
  std::vector<weir::AccumulatorOf<Element>> bias(out.features);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = weir_test::number_at(3, i);
  weir::ProductEpilogue<weir::AccumulatorOf<Element>> epilogue;
  if (with_epilogue) {
    epilogue = {bias.data(), weir::Activation::relu};
    for (std::size_t i = 0; i < expected.value.size(); ++i) {
      expected.add(i, double{bias[i % out.features]});
      expected.value[i] = std::fmax(expected.value[i], 0.0);
    }
  }
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
                      epilogue,
                      Kernel::parts_of(tiles, layout.block, 23, 2)};
      },
      [&](char const* width) {
        CAPTURE(width);
        CHECK(largest_error(expected, out) <= tolerance);
      });
}

TEST_CASE("vectors of each width give the same products of tiles, forwards and transposed") {
  for (bool const with_epilogue : {false, true}) {
    CAPTURE(with_epilogue);
    check_widths<float, false>(1e-6, with_epilogue);
    check_widths<float, true>(1e-6, with_epilogue);
    check_widths<double, true>(1e-14, with_epilogue);
    check_widths<weir::bfloat16, false>(0x1p-8, with_epilogue);
    check_widths<weir::half, true>(0x1p-11, with_epilogue);
  }
}

template <bool Transposed>
void check_chains(std::uint32_t block) {
  CAPTURE(Transposed);
  CAPTURE(block);
  std::size_t const rows = 5 * block - 7, columns = 6 * block - 3;
  weir::GroupDesign grid{{.outputs = 5, .inputs = 6, .group = 2}};
  weir::TiledDesign const design(std::move(grid), rows, columns, block);
  auto const layout = design.layout();
  auto const values = weir_test::random_values<float>(layout, 1);
  weir_test::Batch<float> in(19, Transposed ? rows : columns, weir::BatchOrder::batch_major),
      out(19, Transposed ? columns : rows, in.order);
  weir_test::fill_batch(in, 2);
  auto const chain = [&](std::size_t sample, std::size_t output) {
    float sum = 0;
    std::size_t const degree = Transposed ? layout.column_degree(output) : layout.row_degree(output);
    for (std::size_t slot = 0; slot < degree; ++slot) {
      std::size_t const input = Transposed ? layout.row(output, slot) : layout.column(output, slot);
      std::size_t const at =
          Transposed ? layout.value_index_transposed(output, slot) : layout.value_index(output, slot);
      sum = std::fma(values[at], in.constant()(sample, input), sum);
    }
    return sum;
  };
  using Kernel = weir::detail::MultiplyTiles<float, float, float, Transposed>;
  auto const tiles = weir::detail::entries_of<Transposed>(layout.grid);
  auto const parts = Kernel::parts_of(tiles, block, in.samples, 1);
  with_each_product_width(
      [&] { return Kernel{tiles, block, values.data(), in.constant(), out.view(), {}, parts}; },
      [&](char const* width) {
        CAPTURE(width);
        std::size_t different = 0;
        for (std::size_t sample = 0; sample < out.samples; ++sample) {
          for (std::size_t output = 0; output < out.features; ++output) {
            different += out.constant()(sample, output) != chain(sample, output);
          }
        }
        CHECK(different == 0);
      });
}

TEST_CASE("an output is one chain of fused multiply-adds, for vectors of each width and tiles of any side") {
  for (std::uint32_t block : {16u, 48u, 64u, 80u, 128u}) {
    check_chains<false>(block);
    check_chains<true>(block);
  }
}

TEST_CASE("tiles of other sizes are left to others") {
  using Kernel = weir::detail::MultiplyTiles<float, float, float, false>;
  CHECK_FALSE(Kernel::takes(std::size_t{24}));
}

}  // namespace
