// Products of tiles by warpgroups (wgmma) against those by warps (mma.sync), on devices that have both.
// Numbers are whole and small, so that sums are exact in any order: the same bits.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/cuda/on_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/product_launch.cuh"
#include "weir/mask/any_design.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"
#include "weir/mask/design/group.hpp"

namespace {

using weir::detail::DeviceSamples;
using weir::detail::EntryTable;

template <class Element>
std::vector<Element> whole_numbers(std::size_t size, std::size_t seed) {
  std::vector<Element> all(size);
  for (std::size_t i = 0; i < size; ++i)
    all[i] = Element(static_cast<float>((i * 11 + i / 64 * 3 + seed * 5) % 7) - 3.0f);
  return all;
}

/// Whether this device has them, which those of 9.0 must.
bool has_run(weir::CudaExecutor const& device, bool is_launched) {
  int major = 0;
  weir::check_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device.device()),
                   "cudaDeviceGetAttribute");
  CHECK(is_launched == (major == 9));
  if (major != 9) MESSAGE("not proven here: products by warpgroups are those of sm_90a");
  return is_launched;
}

template <class Element, int Side, int Warpgroups, bool Transposed>
void check_product(weir::CudaExecutor const& device, EntryTable const& tiles, Element const* values,
                   std::size_t value_count, std::size_t samples) {
  std::size_t const width = Transposed ? tiles.outputs() : tiles.inputs();
  std::size_t const results = Transposed ? tiles.inputs() : tiles.outputs();
  std::size_t const stride = (width + 15) / 8 * 8;
  OnDevice const in(device, whole_numbers<Element>(samples * stride, 2));
  auto const source = DeviceSamples<Element>::of(weir::BatchView<Element const, weir::DeviceSpace>{
      in.view().data(), samples, width, stride, weir::BatchOrder::batch_major});
  for (std::size_t const room : {0u, 3u}) {
    CAPTURE(room);
    OnDevice const by_warps(device, std::vector<float>(samples * (results + room), 7.0f));
    OnDevice const by_warpgroups(device, std::vector<float>(samples * (results + room), 7.0f));
    auto const to = [&](OnDevice<float> const& memory) {
      return weir::BatchView<float, weir::DeviceSpace>{memory.view().data(), samples, results, results + room,
                                                       weir::BatchOrder::batch_major};
    };
    using One = weir::detail::DeviceMultiplyTiles<Element, float, Side, Transposed, 2>;
    using Other = weir::detail::DeviceMultiplyWideTiles<Element, float, Side, Transposed, Warpgroups,
                                                        weir::detail::wide_stages>;
    launch_tile_products(device, One{tiles, values, value_count, source, to(by_warps), {}}, "by warps");
    if (!has_run(device, launch_wide_products(
                             device, Other{tiles, values, value_count, source, to(by_warpgroups), {}},
                             "by warpgroups")))
      return;
    CHECK(by_warps.content() == by_warpgroups.content());
  }
}

template <class Element, int Side, int Warpgroups>
void check(std::size_t down, std::size_t across, std::uint32_t n, std::size_t cut, std::size_t samples) {
  CAPTURE(Side);
  CAPTURE(samples);
  weir::CudaExecutor const device;
  weir::AnyDesign const grid(weir::GroupDesign{{.outputs = down, .inputs = across, .group = n}});
  auto const design = grid.tiled(down * Side - cut, across * Side - cut, Side);
  weir::BoundMask<weir::CudaExecutor, weir::AnyDesign> const mask(device,
                                                                  weir::BIBDMask<weir::AnyDesign>(design));
  // Of cut tiles both read padding, which may be any number.
  OnDevice const values(device, whole_numbers<Element>(design.value_count(), 1));
  OnDevice const dy(device, whole_numbers<Element>(samples * (design.outputs() + 8), 3));
  OnDevice const x(device, whole_numbers<Element>(samples * (design.inputs() + 8), 4));
  mask.visit([&](auto const& layout) {
    using Layout = std::remove_cvref_t<decltype(layout)>;
    if constexpr (std::is_same_v<Layout, weir::TiledLayout<weir::GroupLayout>>) {
      auto const tiles = EntryTable::of(layout);
      std::size_t const count = layout.value_count();
      check_product<Element, Side, Warpgroups, false>(device, tiles, values.view().data(), count, samples);
      check_product<Element, Side, Warpgroups, true>(device, tiles, values.view().data(), count, samples);
      OnDevice const by_warps(device, std::vector<float>(count, 0.0f));
      OnDevice const by_warpgroups(device, std::vector<float>(count, 0.0f));
      auto const of_dy = DeviceSamples<Element>::of(weir::BatchView<Element const, weir::DeviceSpace>{
          dy.view().data(), samples, layout.outputs(), (layout.outputs() + 7) / 8 * 8,
          weir::BatchOrder::batch_major});
      auto const of_x = DeviceSamples<Element>::of(weir::BatchView<Element const, weir::DeviceSpace>{
          x.view().data(), samples, layout.inputs(), (layout.inputs() + 7) / 8 * 8,
          weir::BatchOrder::batch_major});
      using One = weir::detail::DeviceGradientTiles<Element, Side, 2>;
      using Other =
          weir::detail::DeviceGradientWideTiles<Element, Side, Warpgroups, weir::detail::wide_stages>;
      for (auto const mode : {weir::GradientMode::overwrite, weir::GradientMode::accumulate}) {
        launch_tile_products(device,
                             One{tiles, layout.grid.value_count(), of_dy, of_x, by_warps.view().data(), mode},
                             "by warps");
        if (!has_run(device, launch_wide_products(device,
                                                  Other{tiles, layout.grid.value_count(),
                                                        weir::detail::most_tiles_of_row(layout.grid), of_dy,
                                                        of_x, by_warpgroups.view().data(), mode},
                                                  "by warpgroups")))
          return;
        CHECK(by_warps.content() == by_warpgroups.content());
      }
    }
  });
}

}  // namespace

TEST_CASE("tiles by warpgroups have the bits of tiles by warps") {
  for (std::size_t const samples : {1u, 63u, 256u, 700u}) {
    check<weir::bfloat16, 64, 2>(5, 7, 2, 9, samples);
    check<weir::half, 64, 1>(8, 16, 8, 0, samples);
    check<weir::half, 128, 1>(3, 4, 2, 17, samples);
    check<weir::bfloat16, 128, 2>(4, 4, 4, 0, samples);
  }
}
