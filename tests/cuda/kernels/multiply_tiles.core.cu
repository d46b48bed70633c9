#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "cuda/kernels/product_case.cuh"
#include "weir/cuda/kernels/multiply_tiles.cuh"

namespace {

using weir::BatchOrder;
using weir::detail::DeviceSamples;
using weir_test::Batch;

/// Lines begin at multiples of 16 bytes.
template <class Element>
struct AlignedBatch {
  AlignedBatch(Batch<Element> const& batch) : memory(batch.elements), view(play::there(batch.constant())) {
    view.data = memory.data;
  }
  play::Aligned<Element> memory;
  weir::BatchView<Element const, weir::DeviceSpace> view;
};
inline std::size_t room_for(std::size_t features) {
  return (8 - features % 8) % 8 + 8;
}

template <class Element, int Side, int Stages, class Layout>
void check(Layout const& layout, std::uint64_t seed, weir::ConvolutionShape const* shape, std::size_t samples,
           double tolerance) {
  CAPTURE(seed);
  CAPTURE(Side);
  auto const entries = weir::detail::EntryTable::of(layout);
  auto const order = BatchOrder::batch_major;
  auto const values = play::values_of<Element>(layout, shape == nullptr ? 1 : shape->taps(), seed);
  play::Aligned<Element> const aligned(values);
  play::Reference<Element, Layout> const reference{layout, shape, values};
  std::size_t const in = shape == nullptr ? samples : shape->input_pixels();
  std::size_t const out = shape == nullptr ? samples : shape->output_pixels();
  Batch<Element> x(in, layout.inputs(), order, room_for(layout.inputs())),
      y(out, layout.outputs(), order, seed % 2);
  Batch<Element> dy(out, layout.outputs(), order, room_for(layout.outputs())),
      dx(in, layout.inputs(), order, 1);
  weir_test::fill_batch(x, seed + 1);
  weir_test::fill_batch(dy, seed + 2);
  AlignedBatch<Element> const x_there(x), dy_there(dy);
  auto const source = [&](auto const& view, bool transposed) {
    return shape == nullptr ? DeviceSamples<Element>::of(view)
                            : DeviceSamples<Element>::of(view, *shape, transposed);
  };
  using Forward = weir::detail::DeviceMultiplyTiles<Element, Element, Side, false, Stages>;
  using Backward = weir::detail::DeviceMultiplyTiles<Element, Element, Side, true, Stages>;
  Forward const forward{
      entries, aligned.data, layout.value_count(), source(x_there.view, false), play::there(y.view()), {}};
  play::blocks(forward, Forward::threads, Forward::shared_bytes);
  CHECK(largest_error(reference.product(x, out), y) <= tolerance);
  Backward const backward{
      entries, aligned.data, layout.value_count(), source(dy_there.view, true), play::there(dx.view()), {}};
  play::blocks(backward, Backward::threads, Backward::shared_bytes);
  CHECK(largest_error(reference.transposed(dy, in), dx) <= tolerance);
}

weir::TiledDesign<weir::GroupDesign> tiles(std::size_t down, std::size_t across, std::uint32_t n,
                                           std::uint32_t side, std::size_t cut_outputs,
                                           std::size_t cut_inputs) {
  return {weir::GroupDesign{{.outputs = down, .inputs = across, .group = n}}, down * side - cut_outputs,
          across * side - cut_inputs, side};
}

}  // namespace

TEST_CASE("products of tiles by tensor cores are those of the dense matrix") {
  check<weir::bfloat16, 32, 3>(tiles(5, 7, 2, 32, 3, 5).layout(), 1, nullptr, 130, 1e-2);
  check<weir::half, 32, 2>(tiles(4, 4, 4, 32, 0, 8).layout(), 2, nullptr, 5, 2e-3);
  check<weir::half, 64, 3>(tiles(3, 4, 2, 64, 0, 0).layout(), 3, nullptr, 67, 2e-3);
  check<weir::bfloat16, 64, 2>(tiles(3, 5, 2, 64, 7, 61).layout(), 4, nullptr, 33, 1e-2);
  check<weir::bfloat16, 128, 2>(tiles(2, 3, 2, 128, 10, 3).layout(), 5, nullptr, 131, 1e-2);
  check<weir::half, 128, 3>(tiles(2, 2, 1, 128, 0, 0).layout(), 6, nullptr, 17, 2e-3);
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
  check<weir::bfloat16, 32, 3>(tiles(2, 3, 2, 32, 4, 3).layout(), 9, &padded, 0, 1e-2);
  check<weir::half, 64, 3>(tiles(2, 2, 2, 64, 0, 3).layout(), 10, &strided, 0, 2e-3);
}
