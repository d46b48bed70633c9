#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "weir/core/half.hpp"
#include "weir/cuda/kernels/gradient_wide_tiles.cuh"
#include "weir/cuda/kernels/multiply_vector.cuh"
#include "weir/cuda/kernels/multiply_wide_tiles.cuh"
#include "weir/cuda/kernels/product_tuning.cuh"
#include "weir/mask/design/group.hpp"
#include "weir/mask/design/tiled.hpp"

using namespace weir::detail;

static_assert(product_tuning_for(90, 90).stages == 3 && product_tuning_for(103, 90).stages == 3 &&
              product_tuning_for(80, 80).stages == 2 && product_tuning_for(89, 80).stages == 2);
static_assert(product_tuning_for(120, 120).stages == 2);  // its blocks have 99 KB
// Only 9.0 has products by warpgroups, and a number of samples from which on they are taken; 0 switches them
// off.
static_assert(product_tuning_for(90, 90).wide_samples == 129 &&
              product_tuning_for(90, 80).wide_samples == 0 && product_tuning_for(80, 80).wide_samples == 0 &&
              product_tuning_for(89, 80).wide_samples == 0 && product_tuning_for(100, 90).wide_samples == 0 &&
              product_tuning_for(120, 120).wide_samples == 0 && product_tuning_for(75, 75).wide_samples == 0);
constexpr ProductTuning without_warpgroups{264, 8, 3, 0};
static_assert(is_for_warpgroups(64, 129, product_tuning_for(90, 90)) &&
              is_for_warpgroups(128, 4096, product_tuning_for(90, 90)) &&
              !is_for_warpgroups(32, 4096, product_tuning_for(90, 90)) &&
              !is_for_warpgroups(128, 128, product_tuning_for(90, 90)) &&
              !is_for_warpgroups(128, 4096, without_warpgroups));
static_assert(is_for_one_warpgroup(64, product_tuning_for(90, 90)) &&
              !is_for_one_warpgroup(66, product_tuning_for(90, 90)));
static_assert(product_tuning_for(75, 75).stages == 0 && product_tuning_for(90, 75).stages == 0);
static_assert(newest_code_for(1000) >= 75 && newest_code_for(10) <= 10);
static_assert(lane_shape(4096, 2048, 16, 512, 264).threads() == 512);
static_assert(lane_shape(4096, 1, 16, 512, 264).lanes == 64 && lane_shape(4096, 1, 16, 512, 264).teams == 1);
static_assert(line_shape(64, 256).lanes == 64 && line_shape(64, 256).teams == 4);
static_assert(line_shape(1000, 256).lanes == 256 && line_shape(0, 256).lanes == 1);

TEST_CASE("blocks are whole warps within what there is room for") {
  for (std::size_t outputs : {1u, 31u, 64u, 100u, 4096u}) {
    for (std::size_t samples : {1u, 17u, 512u, 100'000u}) {
      LaneShape const shape = lane_shape(outputs, samples, 16, 512, 264);
      CHECK(shape.threads() % 32 == 0);
      CHECK(shape.threads() <= 512);
      CHECK(shape.teams * 16 <= 256);
      CHECK((shape.teams == 1 || (shape.teams / 2) * 16 < samples));
      for (std::size_t chunks : {1u, 8u, 300u}) {
        for (unsigned most_teams : {1u, 8u, 16u}) {
          LaneShape const other = gradient_shape(outputs, chunks, most_teams, 512, 264);
          CHECK(other.threads() % 32 == 0);
          CHECK(other.threads() <= 512);
          CHECK(other.teams <= most_teams);
        }
      }
    }
  }
}

namespace {

/// The most entries that blocks of so many lines in a row have, over their mean.
template <class Degree>
double imbalance(std::size_t lines, std::size_t lines_of_block, Degree const& degree) {
  std::vector<double> blocks((lines + lines_of_block - 1) / lines_of_block);
  double most = 0, all = 0;
  for (std::size_t line = 0; line < lines; ++line) {
    double& block = blocks[line / lines_of_block];
    block += static_cast<double>(degree(line));
    all += static_cast<double>(degree(line));
    if (block > most) most = block;
  }
  return most * static_cast<double>(blocks.size()) / all;
}

}  // namespace

TEST_CASE("blocks have equal work where nothing is cut off, forwards and back") {
  for (unsigned n : {2u, 16u, 64u, 256u}) {
    for (unsigned levels : {1u, n - 1}) {
      weir::GroupDesign const design{{.outputs = 4096, .inputs = 2048, .group = n, .levels = levels}};
      for (std::size_t samples : {1u, 64u, 4096u}) {
        auto const row = [&](std::size_t line) { return design.row_degree(line); };
        auto const column = [&](std::size_t line) { return design.column_degree(line); };
        CHECK(imbalance(4096, lane_shape(4096, samples, 16, 512, 264).lanes, row) == 1.0);
        CHECK(imbalance(2048, lane_shape(2048, samples, 16, 512, 264).lanes, column) == 1.0);
      }
    }
  }
}

TEST_CASE("blocks have equal work where nothing is cut off, of the gradient of the weights") {
  for (unsigned n : {2u, 16u, 64u, 256u}) {
    for (unsigned levels : {1u, n - 1}) {
      weir::GroupDesign const design{{.outputs = 512, .inputs = 512, .group = n, .levels = levels}};
      for (unsigned columns = n < 16 ? 16 : n; columns <= staged_columns; columns *= 2) {
        for (std::size_t samples : {1u, 4096u}) {
          CAPTURE(n);
          CAPTURE(levels);
          CAPTURE(columns);
          unsigned const most_teams = samples == 1 ? 1 : staged_columns / columns;
          unsigned const lanes = gradient_shape(512, 512 / columns, most_teams, 512, 264).lanes;
          // Of blocks of rows and chunks of columns, and of each thread in them.
          std::vector<std::size_t> blocks(512 / lanes * (512 / columns)), threads(512 * (512 / columns));
          for (std::size_t row = 0; row < 512; ++row) {
            for (std::size_t slot = 0; slot < design.row_degree(row); ++slot) {
              std::size_t const chunk = design.column(row, slot) / columns;
              ++blocks[row / lanes * (512 / columns) + chunk];
              ++threads[row * (512 / columns) + chunk];
            }
          }
          CHECK(imbalance(blocks.size(), 1, [&](std::size_t at) { return blocks[at]; }) == 1.0);
          CHECK(imbalance(threads.size(), 1, [&](std::size_t at) { return threads[at]; }) == 1.0);
        }
      }
    }
  }
}

TEST_CASE("blocks have equal work where nothing is cut off, of few samples") {
  using Forward = MultiplyVector<float, float, float, false, 1>;
  using Backward = MultiplyVector<float, float, float, true, 4>;
  for (unsigned n : {4u, 16u, 64u, 256u}) {
    for (unsigned levels : {1u, n - 1}) {
      CAPTURE(n);
      CAPTURE(levels);
      weir::GroupDesign const design{{.outputs = 4096, .inputs = 2048, .group = n, .levels = levels}};
      REQUIRE(Forward::takes(design.layout()));
      std::size_t const outputs = Forward::packs_for(design.layout()) * Forward::width;
      std::size_t const inputs = Backward::packs_for(design.layout()) * Backward::width;
      CHECK(imbalance(4096, outputs, [&](std::size_t line) { return design.row_degree(line); }) == 1.0);
      CHECK(imbalance(2048, inputs, [&](std::size_t line) { return design.column_degree(line); }) == 1.0);
    }
  }
}

namespace {

/// Of products by warpgroups: a block has a line of tiles, and of a gradient some tiles of a row.
template <int Side, int Warpgroups>
void check_wide_tiles(weir::GroupDesign const& grid) {
  std::size_t const outputs = grid.outputs() * Side, inputs = grid.inputs() * Side;
  weir::TiledDesign const tiles(grid, outputs, inputs, Side);
  CHECK(imbalance(outputs, Side, [&](std::size_t line) { return tiles.row_degree(line); }) == 1.0);
  CHECK(imbalance(inputs, Side, [&](std::size_t line) { return tiles.column_degree(line); }) == 1.0);
  using Gradient = DeviceGradientWideTiles<weir::bfloat16, Side, Warpgroups, 4>;
  std::size_t const of_row = grid.row_degree(0), of_block = Gradient::together;
  std::size_t const blocks = (of_row + of_block - 1) / of_block;
  auto const tiles_of = [&](std::size_t block) {
    std::size_t const first = block % blocks * of_block, live = grid.row_degree(block / blocks);
    return live < first + of_block ? live - first : of_block;
  };
  CHECK(imbalance(grid.outputs() * blocks, 1, tiles_of) == 1.0);
}

}  // namespace

TEST_CASE("blocks have equal work where nothing is cut off, of tiles: a block has rows or columns of them") {
  weir::TiledDesign const tiles(weir::GroupDesign{{.outputs = 64, .inputs = 32, .group = 8}}, 4096, 2048, 64);
  CHECK(imbalance(4096, 64, [&](std::size_t line) { return tiles.row_degree(line); }) == 1.0);
  CHECK(imbalance(2048, 64, [&](std::size_t line) { return tiles.column_degree(line); }) == 1.0);
  weir::GroupDesign const cut{{.outputs = 100, .inputs = 100, .group = 8}};
  CHECK(imbalance(100, 64, [&](std::size_t line) { return cut.row_degree(line); }) > 1.0);
  for (unsigned n : {4u, 8u}) {
    weir::GroupDesign const grid{{.outputs = 64, .inputs = 32, .group = n}};
    check_wide_tiles<64, 1>(grid);
    check_wide_tiles<64, 2>(grid);
    check_wide_tiles<128, 1>(grid);
    check_wide_tiles<128, 2>(grid);
  }
}
