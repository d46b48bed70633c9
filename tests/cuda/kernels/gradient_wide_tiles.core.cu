#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "cuda/kernels/played_wide_block.cuh"
#include "cuda/kernels/tile_case.cuh"
#include "weir/cuda/kernels/gradient_wide_tiles.cuh"

namespace {

using play::tile_design;
using weir::GradientMode;
using weir::detail::DeviceSamples;
using weir::detail::EntryTable;

/// Padding must be zero before, as no tile is looked at that is nothing else. A row has at most so many
/// tiles.
template <class Element, int Side, int Warpgroups, class Layout>
void check(Layout const& layout, std::uint64_t seed, weir::ConvolutionShape const* shape, std::size_t samples,
           std::size_t most_tiles) {
  using Gradient = weir::detail::DeviceGradientWideTiles<Element, Side, Warpgroups, 4>;
  play::check_gradient<Element>(
      layout, seed, shape, samples, 0.0f,
      [&](EntryTable const& table, std::size_t tile_count, auto const&... all) {
        return Gradient{table, tile_count, most_tiles, all...};
      },
      [](auto const& operation) { play::wide_blocks(operation, operation.threads, operation.shared_bytes); });
}

}  // namespace

TEST_CASE("gradients of tiles by warpgroups are those of the dense matrix") {
  check<weir::half, 64, 2>(tile_design(2, 3, 2, 64, 0, 1).layout(), 3, nullptr, 200, 2);
  check<weir::bfloat16, 64, 2>(tile_design(2, 5, 1, 64, 33, 64 - 9).layout(), 4, nullptr, 65,
                               5);  // 4 tiles, and 1
  check<weir::bfloat16, 128, 2>(tile_design(2, 3, 1, 128, 10, 3).layout(), 5, nullptr, 70, 3);
  check<weir::half, 128, 1>(tile_design(2, 2, 2, 128, 0, 0).layout(), 6, nullptr, 90, 1);
  check<weir::half, 64, 2>(tile_design(5, 6, 4, 64, 0, 0).layout(), 2, nullptr, 7,
                           2);  // with tiles that are padding
}

TEST_CASE("gradients by warpgroups of rows of any number of tiles, and of a convolution") {
  weir::IndexedDesign<std::uint16_t> const indexed(6, {0, 2, 2, 7}, {0, 2, 0, 1, 2, 4, 5});
  weir::TiledDesign<weir::IndexedDesign<std::uint16_t>> const other(indexed, 3 * 64 - 9, 6 * 64 - 1, 64);
  check<weir::half, 64, 1>(other.layout(), 8, nullptr, 20, 6);
  weir::ConvolutionShape const strided{1, 12, 13, 2, 3, 2, 1, 2};
  check<weir::half, 64, 2>(tile_design(2, 2, 2, 64, 0, 3).layout(), 10, &strided, 0, 1);
}

TEST_CASE("what is not finite does not reach padding of a tile that a warpgroup has") {
  auto const design = tile_design(2, 2, 1, 64, 3, 5);
  auto const layout = design.layout();
  std::vector<weir::half> const infinite(128 * 16, weir::half(std::numeric_limits<float>::infinity()));
  play::Aligned<weir::half> const memory(infinite);
  auto const batch = [&](std::size_t features) {
    return DeviceSamples<weir::half>::of(
        weir::batch_major<weir::DeviceSpace>(static_cast<weir::half const*>(memory.data), 9, features, 128));
  };
  std::vector<bool> is_live(layout.value_count());
  weir_test::for_each_entry(layout, [&](std::size_t, std::size_t, std::size_t at) { is_live[at] = true; });
  std::vector<float> gradient(layout.value_count(), 0.0f);
  using Gradient = weir::detail::DeviceGradientWideTiles<weir::half, 64, 2, 4>;
  play::wide_blocks(Gradient{EntryTable::of(layout), layout.grid.value_count(), 2, batch(layout.outputs()),
                             batch(layout.inputs()), gradient.data(), GradientMode::overwrite},
                    Gradient::threads, Gradient::shared_bytes);
  std::size_t wrong = 0;
  for (std::size_t at = 0; at < gradient.size(); ++at) {
    bool const is_infinite = gradient[at] > std::numeric_limits<float>::max();
    if (is_live[at] ? !is_infinite : gradient[at] != 0) ++wrong;
  }
  CHECK(wrong == 0);
}
