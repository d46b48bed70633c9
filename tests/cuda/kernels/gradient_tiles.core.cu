#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "cuda/kernels/tile_case.cuh"
#include "weir/cuda/kernels/gradient_tiles.cuh"

namespace {

using weir::GradientMode;
using weir::detail::DeviceSamples;

template <class Element, int Side, int Stages>
void check(std::size_t down, std::size_t across, std::uint32_t n, std::size_t cut_outputs,
           std::size_t cut_inputs, std::uint64_t seed, weir::ConvolutionShape const* shape,
           std::size_t samples) {
  auto const design = play::tile_design(down, across, n, Side, cut_outputs, cut_inputs);
  play::check_gradient<Element>(
      design.layout(), seed, shape, samples, 7.0f,
      [](auto const&... all) { return weir::detail::DeviceGradientTiles<Element, Side, Stages>{all...}; },
      [](auto const& operation) { play::blocks(operation, operation.threads, operation.shared_bytes); });
}

}  // namespace

TEST_CASE("gradients of tiles by tensor cores are those of the dense matrix") {
  check<weir::bfloat16, 32, 3>(5, 7, 2, 3, 5, 1, nullptr, 130);
  check<weir::half, 32, 2>(5, 6, 4, 0, 0, 2, nullptr, 7);  // with tiles that are padding
  check<weir::half, 64, 3>(2, 3, 2, 0, 1, 3, nullptr, 200);
  check<weir::bfloat16, 64, 2>(2, 3, 2, 33, 64 - 9, 4, nullptr, 65);
  check<weir::bfloat16, 128, 3>(2, 2, 2, 10, 3, 5, nullptr, 70);
  check<weir::half, 128, 2>(1, 1, 1, 0, 0, 6, nullptr, 0);
}

TEST_CASE("what is not finite does not reach padding") {
  weir::TiledDesign<weir::GroupDesign> const design(
      weir::GroupDesign{{.outputs = 2, .inputs = 2, .group = 1}}, 64 - 3, 64 - 5, 32);
  auto const layout = design.layout();
  std::vector<weir::half> const infinite(64 * 64, weir::half(std::numeric_limits<float>::infinity()));
  play::Aligned<weir::half> const memory(infinite);
  auto const batch = [&](std::size_t features) {
    return DeviceSamples<weir::half>::of(
        weir::batch_major<weir::DeviceSpace>(static_cast<weir::half const*>(memory.data), 9, features, 64));
  };
  std::vector<bool> is_live(layout.value_count());
  weir_test::for_each_entry(layout, [&](std::size_t, std::size_t, std::size_t at) { is_live[at] = true; });
  for (GradientMode const mode : {GradientMode::overwrite, GradientMode::accumulate}) {
    std::vector<float> gradient(layout.value_count(), 0.0f);
    using Gradient = weir::detail::DeviceGradientTiles<weir::half, 32, 2>;
    Gradient const operation{weir::detail::EntryTable::of(layout),
                             layout.grid.value_count(),
                             batch(layout.outputs()),
                             batch(layout.inputs()),
                             gradient.data(),
                             mode};
    play::blocks(operation, Gradient::threads, Gradient::shared_bytes);
    std::size_t wrong = 0;
    for (std::size_t at = 0; at < gradient.size(); ++at) {
      bool const is_infinite = gradient[at] > std::numeric_limits<float>::max();
      if (is_live[at] ? !is_infinite : gradient[at] != 0) ++wrong;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("gradients of convolutions of tiles are those of each tap") {
  weir::ConvolutionShape const padded{2, 7, 5, 3, 3, 1, 1, 1}, strided{1, 12, 13, 2, 3, 2, 1, 2};
  check<weir::bfloat16, 32, 3>(2, 3, 2, 4, 3, 7, &padded, 0);
  check<weir::half, 64, 3>(2, 2, 2, 0, 3, 8, &strided, 0);
}
