#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "cuda/kernels/panel_product.cuh"
#include "support/cuda/on_device.hpp"
#include "weir/cuda/executor.hpp"
#include "weir/cuda/kernels/wide_block.cuh"
#include "weir/cuda/kernels/wide_tiles.cuh"

// That warpgroups multiply what the manual says, as played blocks do: whole numbers, exactly.

namespace {

template <class Element, bool LeftIsAcross, bool RightIsAcross>
void check() {
  CAPTURE(LeftIsAcross);
  CAPTURE(RightIsAcross);
  auto const left = panel::whole_numbers<Element>(64 * 64, 1),
             right = panel::whole_numbers<Element>(64 * 128, 2);
  weir::CudaExecutor const device;
  OnDevice const left_there(device, left), right_there(device, right);
  using Product = panel::Product<Element, LeftIsAcross, RightIsAcross>;
  for (std::size_t const count : {64u, 61u, 8u, 0u}) {
    CAPTURE(count);
    OnDevice const out(device, std::vector<float>(64 * 128, -1.0f));
    Product const product{left_there.view().data(), right_there.view().data(), count, out.view().data()};
    int major = 0;
    weir::check_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device.device()),
                     "cudaDeviceGetAttribute");
    bool const has_run = weir::detail::launch_wide_products(device, product, "launch of a product of panels");
    if (major != 9) {
      CHECK_FALSE(has_run);
      MESSAGE("not proven here: products by warpgroups are those of sm_90a");
      return;
    }
    REQUIRE(has_run);  // else it was not compiled for sm_90a
    CHECK(out.content() == panel::expected<LeftIsAcross, RightIsAcross>(left, right, count));
  }
}

}  // namespace

TEST_CASE("a warpgroup on the device multiplies panels however their operands lie") {
  check<weir::half, false, false>();
  check<weir::bfloat16, true, false>();
  check<weir::half, true, true>();
  check<weir::bfloat16, false, true>();
  check<weir::bfloat16, false, false>();
  check<weir::half, true, false>();
}
