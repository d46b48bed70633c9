#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

#include "cuda/kernels/tile_case.cuh"
#include "weir/cuda/kernels/multiply_tiles.cuh"

namespace {

using play::tile_design;

template <class Element, int Side, int Stages, class Layout>
void check(Layout const& layout, std::uint64_t seed, weir::ConvolutionShape const* shape, std::size_t samples,
           double tolerance) {
  CAPTURE(Side);
  using Forward = weir::detail::DeviceMultiplyTiles<Element, Element, Side, false, Stages>;
  using Backward = weir::detail::DeviceMultiplyTiles<Element, Element, Side, true, Stages>;
  play::check_products<Element, Forward, Backward>(
      layout, seed, shape, samples, tolerance,
      [](auto const& operation) { play::blocks(operation, operation.threads, operation.shared_bytes); });
}

}  // namespace

TEST_CASE("products of tiles by tensor cores are those of the dense matrix") {
  check<weir::bfloat16, 32, 3>(tile_design(5, 7, 2, 32, 3, 5).layout(), 1, nullptr, 130, 1e-2);
  check<weir::half, 32, 2>(tile_design(4, 4, 4, 32, 0, 8).layout(), 2, nullptr, 5, 2e-3);
  check<weir::half, 64, 3>(tile_design(3, 4, 2, 64, 0, 0).layout(), 3, nullptr, 67, 2e-3);
  check<weir::bfloat16, 64, 2>(tile_design(3, 5, 2, 64, 7, 61).layout(), 4, nullptr, 33, 1e-2);
  check<weir::bfloat16, 128, 2>(tile_design(2, 3, 2, 128, 10, 3).layout(), 5, nullptr, 131, 1e-2);
  check<weir::half, 128, 3>(tile_design(2, 2, 1, 128, 0, 0).layout(), 6, nullptr, 17, 2e-3);
}

TEST_CASE("products of tiles whose grid has another form") {
  weir::CyclicDesign const cyclic(7, {1, 2, 4});
  auto const indexed = weir::IndexedDesign<std::uint16_t>::of(cyclic);
  weir::TiledDesign<weir::CyclicDesign> const one(cyclic, 7 * 32, 7 * 32, 32);
  check<weir::half, 32, 3>(one.layout(), 7, nullptr, 20, 2e-3);
  weir::TiledDesign<weir::IndexedDesign<std::uint16_t>> const other(indexed, 7 * 32 - 9, 7 * 32 - 1, 32);
  check<weir::half, 32, 3>(other.layout(), 8, nullptr, 20, 2e-3);
}

TEST_CASE("convolutions of tiles are sums over the taps that lie inside") {
  weir::ConvolutionShape const padded{2, 7, 5, 3, 3, 1, 1, 1}, strided{1, 12, 13, 2, 3, 2, 1, 2};
  check<weir::bfloat16, 32, 3>(tile_design(2, 3, 2, 32, 4, 3).layout(), 9, &padded, 0, 1e-2);
  check<weir::half, 64, 3>(tile_design(2, 2, 2, 64, 0, 3).layout(), 10, &strided, 0, 2e-3);
}
