#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cstddef>

#include "weir/core/half.hpp"
#include "weir/tensor/view.hpp"

namespace weir::inline v1 {

static_assert(sizeof(__half) == sizeof(half) && sizeof(__nv_bfloat16) == sizeof(bfloat16));

// Views of CUDA's own 16-bit types as those of this library, which have the same layout: in device memory, or
// `view<HostSpace>(pointer, size)`.

template <class Space = DeviceSpace>
TensorView<half, Space> view(__half* data, std::size_t size) {
  return {reinterpret_cast<half*>(data), size};
}
template <class Space = DeviceSpace>
TensorView<half const, Space> view(__half const* data, std::size_t size) {
  return {reinterpret_cast<half const*>(data), size};
}
template <class Space = DeviceSpace>
TensorView<bfloat16, Space> view(__nv_bfloat16* data, std::size_t size) {
  return {reinterpret_cast<bfloat16*>(data), size};
}
template <class Space = DeviceSpace>
TensorView<bfloat16 const, Space> view(__nv_bfloat16 const* data, std::size_t size) {
  return {reinterpret_cast<bfloat16 const*>(data), size};
}

}  // namespace weir::inline v1
