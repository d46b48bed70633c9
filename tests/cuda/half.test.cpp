#include "weir/cuda/half.hpp"

#include <doctest/doctest.h>

#include <type_traits>

TEST_CASE("CUDA's 16-bit numbers are seen as those of this library, in device memory unless it is said") {
  __half halves[3];
  __nv_bfloat16 const brains[3] = {};
  auto const half_view = weir::view(halves, 3);
  auto const brain_view = weir::view(brains, 2);
  static_assert(std::is_same_v<decltype(half_view), weir::TensorView<weir::half, weir::DeviceSpace> const>);
  static_assert(
      std::is_same_v<decltype(brain_view), weir::TensorView<weir::bfloat16 const, weir::DeviceSpace> const>);
  CHECK(static_cast<void const*>(half_view.data()) == halves);
  CHECK(half_view.size() == 3);
  CHECK(static_cast<void const*>(brain_view.data()) == brains);
  CHECK(brain_view.size() == 2);

  halves[1] = __float2half(-2.5f);
  auto const on_host = weir::view<weir::HostSpace>(halves, 3);
  CHECK(static_cast<float>(on_host[1]) == -2.5f);
  static_assert(std::is_same_v<decltype(on_host), weir::TensorView<weir::half, weir::HostSpace> const>);
}
