// Products of tiles by warpgroups (wgmma) against the host's, on devices that have them.
// Numbers are whole and small, so that sums are exact in any order: the same bits.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "support/cuda/on_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/product_launch.cuh"
#include "weir/host/masked_product.hpp"
#include "weir/mask/any_design.hpp"
#include "weir/mask/bibd_mask.hpp"
#include "weir/mask/bound_mask.hpp"
#include "weir/mask/design/group.hpp"

namespace {

using weir::BatchOrder;
using weir::BatchView;
using weir::DeviceSpace;
using weir::HostSpace;
using weir::detail::DeviceSamples;
using weir::detail::EntryTable;
using Grid = weir::TiledLayout<weir::GroupLayout>;

/// Tensor cores read lines that begin at 16 bytes, and have room behind.
constexpr std::size_t aligned(std::size_t width) {
  return (width + 15) / 8 * 8;
}

template <class Element>
std::vector<Element> whole_numbers(std::size_t size, std::size_t seed) {
  std::vector<Element> all(size);
  for (std::size_t i = 0; i < size; ++i)
    all[i] = Element(static_cast<float>((i * 11 + i / 64 * 3 + seed * 5) % 7) - 3.0f);
  return all;
}

/// One batch in both memories.
template <class Element>
struct Samples {
  Samples(weir::CudaExecutor const& device, std::size_t sample_count, std::size_t width, std::size_t seed)
      : count(sample_count),
        features(width),
        elements(whole_numbers<Element>(count * aligned(width), seed)),
        copy(device, elements) {}

  BatchView<Element const, HostSpace> host() const {
    return {elements.data(), count, features, aligned(features), BatchOrder::batch_major};
  }
  DeviceSamples<Element> device() const {
    return DeviceSamples<Element>::of(BatchView<Element const, DeviceSpace>{
        copy.view().data(), count, features, aligned(features), BatchOrder::batch_major});
  }

  std::size_t count, features;
  std::vector<Element> elements;
  OnDevice<Element> copy;
};

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
void check_product(weir::CudaExecutor const& device, Grid const& on_host, Grid const& on_device,
                   std::vector<Element> const& values, std::size_t samples) {
  std::size_t const width = Transposed ? on_host.outputs() : on_host.inputs();
  std::size_t const results = Transposed ? on_host.inputs() : on_host.outputs();
  Samples<Element> const in(device, samples, width, 2);
  OnDevice const values_there(device, values);
  for (std::size_t const room : {0u, 3u}) {
    CAPTURE(room);
    std::vector<float> expected(samples * (results + room), 7.0f);
    BatchView<float, HostSpace> const to{expected.data(), samples, results, results + room,
                                         BatchOrder::batch_major};
    weir::HostExecutor const host;
    if constexpr (Transposed) multiply_masked_transposed(host, on_host, weir::view(values), in.host(), to);
    if constexpr (!Transposed) multiply_masked(host, on_host, weir::view(values), in.host(), to);
    host.synchronize();

    OnDevice const found(device, std::vector<float>(samples * (results + room), 7.0f));
    using Multiply = weir::detail::DeviceMultiplyWideTiles<Element, float, Side, Transposed, Warpgroups,
                                                           weir::detail::wide_stages>;
    BatchView<float, DeviceSpace> const there{found.view().data(), samples, results, results + room,
                                              BatchOrder::batch_major};
    if (!has_run(device, launch_wide_products(device,
                                              Multiply{EntryTable::of(on_device),
                                                       values_there.view().data(),
                                                       on_device.value_count(),
                                                       in.device(),
                                                       there,
                                                       {}},
                                              "by warpgroups")))
      return;
    CHECK(found.content() == expected);
  }
}

template <class Element, int Side, int Warpgroups>
void check_gradient(weir::CudaExecutor const& device, Grid const& on_host, Grid const& on_device,
                    std::size_t samples) {
  Samples<Element> const dy(device, samples, on_host.outputs(), 3), x(device, samples, on_host.inputs(), 4);
  std::vector<float> expected(on_host.value_count(), 0.0f);
  OnDevice const found(device, expected);
  for (auto const mode : {weir::GradientMode::overwrite, weir::GradientMode::accumulate}) {
    weir::HostExecutor const host;
    masked_weight_gradient(host, on_host, dy.host(), x.host(), weir::view(expected), mode);
    host.synchronize();
    using Gradient =
        weir::detail::DeviceGradientWideTiles<Element, Side, Warpgroups, weir::detail::wide_stages>;
    if (!has_run(device,
                 launch_wide_products(device,
                                      Gradient{EntryTable::of(on_device), on_device.grid.value_count(),
                                               weir::detail::most_tiles_of_row(on_device.grid), dy.device(),
                                               x.device(), found.view().data(), mode},
                                      "by warpgroups")))
      return;
    CHECK(found.content() == expected);
  }
}

template <class Element, int Side, int Warpgroups>
void check(std::size_t down, std::size_t across, std::uint32_t n, std::size_t cut, std::size_t samples) {
  CAPTURE(Side);
  CAPTURE(samples);
  weir::CudaExecutor const device;
  weir::AnyDesign const grid(weir::GroupDesign{{.outputs = down, .inputs = across, .group = n}});
  auto const design = grid.tiled(down * Side - cut, across * Side - cut, Side);
  weir::BIBDMask<weir::AnyDesign> const mask(design);
  weir::BoundMask<weir::HostExecutor, weir::AnyDesign> const of_host(weir::HostExecutor(), mask);
  weir::BoundMask<weir::CudaExecutor, weir::AnyDesign> const of_device(device, mask);
  // Of cut tiles both read padding, which may be any number.
  auto const values = whole_numbers<Element>(design.value_count(), 1);
  auto const as_grid = [](auto const& bound, auto const& use) {
    bound.visit([&](auto const& layout) {
      if constexpr (std::is_same_v<std::remove_cvref_t<decltype(layout)>, Grid>)
        use(layout);
      else
        FAIL("tiles of a group design have a layout of their own");
    });
  };
  as_grid(of_host, [&](Grid const& on_host) {
    as_grid(of_device, [&](Grid const& on_device) {
      check_product<Element, Side, Warpgroups, false>(device, on_host, on_device, values, samples);
      check_product<Element, Side, Warpgroups, true>(device, on_host, on_device, values, samples);
      check_gradient<Element, Side, Warpgroups>(device, on_host, on_device, samples);
    });
  });
}

}  // namespace

TEST_CASE("tiles by warpgroups have the bits of the host") {
  for (std::size_t const samples : {1u, 63u, 256u, 700u}) {
    check<weir::bfloat16, 64, 2>(5, 7, 2, 9, samples);
    check<weir::half, 64, 1>(8, 16, 8, 0, samples);
    check<weir::half, 128, 1>(3, 4, 2, 17, samples);
    check<weir::bfloat16, 128, 2>(4, 4, 4, 0, samples);
  }
}
