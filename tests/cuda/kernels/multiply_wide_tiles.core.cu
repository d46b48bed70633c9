#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/played_wide_block.cuh"
#include "cuda/kernels/tile_case.cuh"
#include "weir/cuda/kernels/multiply_wide_tiles.cuh"

namespace {

using play::tile_design;
using weir::BatchOrder;

template <class Element, int Side, int Warpgroups, class Layout>
void check(Layout const& layout, std::uint64_t seed, weir::ConvolutionShape const* shape, std::size_t samples,
           double tolerance, BatchOrder order = BatchOrder::batch_major) {
  CAPTURE(Side);
  using Forward = weir::detail::DeviceMultiplyWideTiles<Element, Element, Side, false, Warpgroups, 4>;
  using Backward = weir::detail::DeviceMultiplyWideTiles<Element, Element, Side, true, Warpgroups, 4>;
  static_assert(Forward::shared_bytes <= 227 * 1024);
  play::check_products<Element, Forward, Backward>(
      layout, seed, shape, samples, tolerance,
      [](auto const& operation) { play::wide_blocks(operation, operation.threads, operation.shared_bytes); },
      order);
}

}  // namespace

TEST_CASE("products of tiles by warpgroups are those of the dense matrix") {
  check<weir::half, 64, 2>(tile_design(3, 4, 2, 64, 0, 0).layout(), 3, nullptr, 67, 2e-3);
  check<weir::bfloat16, 64, 2>(tile_design(3, 5, 2, 64, 7, 61).layout(), 4, nullptr, 258, 1e-2);
  check<weir::bfloat16, 128, 2>(tile_design(2, 3, 2, 128, 10, 3).layout(), 5, nullptr, 131, 1e-2,
                                BatchOrder::feature_major);
  check<weir::half, 128, 1>(tile_design(2, 2, 1, 128, 0, 0).layout(), 6, nullptr, 17, 2e-3);
}

TEST_CASE("products by warpgroups of tiles in another grid, also a line of none, and of a convolution") {
  weir::IndexedDesign<std::uint16_t> const indexed(3, {0, 2, 2, 5}, {0, 2, 0, 1, 2});
  weir::TiledDesign<weir::IndexedDesign<std::uint16_t>> const other(indexed, 3 * 64 - 9, 3 * 64 - 1, 64);
  check<weir::half, 64, 1>(other.layout(), 8, nullptr, 20, 2e-3);
  weir::ConvolutionShape const strided{1, 12, 13, 2, 3, 2, 1, 2};
  check<weir::half, 64, 2>(tile_design(2, 2, 2, 64, 0, 3).layout(), 10, &strided, 0, 2e-3);
}

TEST_CASE("bias and activation come before the one rounding, whatever is stored") {
  auto const design = tile_design(1, 1, 1, 64, 5, 0);
  auto const layout = design.layout();
  auto const values = play::values_of<weir::half>(layout, 1, 1);
  play::Aligned<weir::half> const values_there(values);
  weir_test::Batch<weir::half> x(3, 64, BatchOrder::batch_major);
  weir_test::fill_batch(x, 2);
  play::AlignedBatch<weir::half> const x_there(x);
  std::vector<float> bias(59);
  for (std::size_t i = 0; i < bias.size(); ++i) bias[i] = weir_test::number_at(3, i);
  weir_test::Batch<float> y(3, 59, BatchOrder::batch_major, 1);
  using Forward = weir::detail::DeviceMultiplyWideTiles<weir::half, float, 64, false, 2, 4>;
  play::wide_blocks(Forward{weir::detail::EntryTable::of(layout),
                            values_there.data,
                            layout.value_count(),
                            weir::detail::DeviceSamples<weir::half>::of(x_there.view),
                            play::there(y.view()),
                            {bias.data(), weir::Activation::relu}},
                    Forward::threads, Forward::shared_bytes);
  auto const sums = play::Reference<weir::half, decltype(layout)>{layout, nullptr, values}.product(x, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 59; ++j) {
      double const sum = sums.value[i * 59 + j] + static_cast<double>(bias[j]);
      CHECK(y(i, j) == doctest::Approx(sum > 0 ? sum : 0).epsilon(1e-5));
    }
  }
}
