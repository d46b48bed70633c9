#pragma once

// The verbs of masked_product.hpp for the layouts and elements of this library; see instantiate.cuh. Any
// other combination of elements is instantiated in the same way, in a .cu of the program's own.

#include <cstdint>

#include "weir/cuda/masked_product.cuh"
#include "weir/exec/cyclic_layout.hpp"
#include "weir/exec/group_layout.hpp"
#include "weir/exec/indexed_layout.hpp"
#include "weir/exec/tiled_layout.hpp"

namespace weir::inline v1 {
namespace detail {

/// Names the verbs that layers call, so that an explicit instantiation of it has them all.
template <class Layout, class Element>
struct MaskedVerbs {
  using Real = AccumulatorOf<Element>;
  using Values = TensorView<Element const, DeviceSpace>;
  using Batch = DeviceBatch<Element>;
  using Constant = DeviceBatch<Element const>;
  using Gradient = TensorView<Real, DeviceSpace>;
  using Epilogue = ProductEpilogue<Real>;
  using Any = void (*)();

  static void name(Any* to) {
    take<void (*)(CudaExecutor const&, Layout const&, Values, Constant, Batch, Epilogue)>(to,
                                                                                          &multiply_masked);
    take<void (*)(CudaExecutor const&, Layout const&, Values, Batch, Batch)>(to, &multiply_masked_transposed);
    take<void (*)(CudaExecutor const&, Layout const&, Values, Constant, Batch)>(to,
                                                                                &multiply_masked_transposed);
    take<void (*)(CudaExecutor const&, Layout const&, Batch, Constant, Gradient, GradientMode)>(
        to, &masked_weight_gradient);
    take<void (*)(CudaExecutor const&, Layout const&, Constant, Constant, Gradient, GradientMode)>(
        to, &masked_weight_gradient);
    take<void (*)(CudaExecutor const&, Layout const&, ConvolutionShape, Values, Constant, Batch, Epilogue)>(
        to, &convolve_masked);
    take<void (*)(CudaExecutor const&, Layout const&, ConvolutionShape, Values, Batch, Batch)>(
        to, &convolve_masked_transposed);
    take<void (*)(CudaExecutor const&, Layout const&, ConvolutionShape, Batch, Constant, Gradient,
                  GradientMode)>(to, &masked_convolution_gradient);
    take<void (*)(CudaExecutor const&, Layout const&, TensorView<Element, DeviceSpace>)>(to, &clear_dead);
    take<void (*)(CudaExecutor const&, Batch, Gradient, GradientMode)>(to, &sum_samples);
    take<void (*)(CudaExecutor const&, Constant, Gradient, GradientMode)>(to, &sum_samples);
    take<void (*)(CudaExecutor const&, Activation, Constant, Batch)>(to, &gate_gradient);
  }

 private:
  template <class Verb>
  static void take(Any*& to, Verb verb) {
    *to++ = reinterpret_cast<Any>(verb);
  }
};

template struct MaskedVerbs<GroupLayout, half>;
template struct MaskedVerbs<GroupLayout, bfloat16>;
template struct MaskedVerbs<GroupLayout, float>;
template struct MaskedVerbs<GroupLayout, double>;
template struct MaskedVerbs<CyclicLayout, half>;
template struct MaskedVerbs<CyclicLayout, bfloat16>;
template struct MaskedVerbs<CyclicLayout, float>;
template struct MaskedVerbs<CyclicLayout, double>;
template struct MaskedVerbs<IndexedLayout<std::uint16_t>, half>;
template struct MaskedVerbs<IndexedLayout<std::uint16_t>, bfloat16>;
template struct MaskedVerbs<IndexedLayout<std::uint16_t>, float>;
template struct MaskedVerbs<IndexedLayout<std::uint16_t>, double>;
template struct MaskedVerbs<IndexedLayout<std::uint32_t>, half>;
template struct MaskedVerbs<IndexedLayout<std::uint32_t>, bfloat16>;
template struct MaskedVerbs<IndexedLayout<std::uint32_t>, float>;
template struct MaskedVerbs<IndexedLayout<std::uint32_t>, double>;
template struct MaskedVerbs<TiledLayout<GroupLayout>, half>;
template struct MaskedVerbs<TiledLayout<GroupLayout>, bfloat16>;
template struct MaskedVerbs<TiledLayout<GroupLayout>, float>;
template struct MaskedVerbs<TiledLayout<GroupLayout>, double>;
template struct MaskedVerbs<TiledLayout<CyclicLayout>, half>;
template struct MaskedVerbs<TiledLayout<CyclicLayout>, bfloat16>;
template struct MaskedVerbs<TiledLayout<CyclicLayout>, float>;
template struct MaskedVerbs<TiledLayout<CyclicLayout>, double>;
template struct MaskedVerbs<TiledLayout<IndexedLayout<std::uint16_t>>, half>;
template struct MaskedVerbs<TiledLayout<IndexedLayout<std::uint16_t>>, bfloat16>;
template struct MaskedVerbs<TiledLayout<IndexedLayout<std::uint16_t>>, float>;
template struct MaskedVerbs<TiledLayout<IndexedLayout<std::uint16_t>>, double>;
template struct MaskedVerbs<TiledLayout<IndexedLayout<std::uint32_t>>, half>;
template struct MaskedVerbs<TiledLayout<IndexedLayout<std::uint32_t>>, bfloat16>;
template struct MaskedVerbs<TiledLayout<IndexedLayout<std::uint32_t>>, float>;
template struct MaskedVerbs<TiledLayout<IndexedLayout<std::uint32_t>>, double>;

}  // namespace detail
}  // namespace weir::inline v1
