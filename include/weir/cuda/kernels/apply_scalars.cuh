#pragma once

namespace weir::inline v1 {
namespace detail {

template <class Step>
__global__ void scalar_kernel(__grid_constant__ Step const step) {
  Step here = step;
  here();
}

}  // namespace detail
}  // namespace weir::inline v1
