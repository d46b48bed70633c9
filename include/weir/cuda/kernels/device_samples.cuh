#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"
#include "weir/cuda/kernels/unroll.cuh"
#include "weir/exec/batch_view.hpp"
#include "weir/exec/convolution_shape.hpp"
#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {
namespace detail {

/// Where the features of a sample are: in a batch, or those of the pixel that a tap of a convolution reads
/// for it.
template <class Element>
struct DeviceSamples {
  enum class Kind : std::uint8_t { batch, forward, transposed };
  static constexpr std::size_t outside = ConvolutionShape::outside;

  Element const* data = nullptr;
  std::size_t samples = 0;
  std::size_t features = 0;
  std::size_t stride = 0;
  BatchOrder order = BatchOrder::batch_major;
  Kind kind = Kind::batch;
  std::uint32_t taps = 1;
  ConvolutionShape shape = {};

  template <class Source>
  static DeviceSamples of(BatchView<Source, DeviceSpace> const& batch) {
    return {batch.data, batch.samples, batch.features, batch.stride, batch.order};
  }
  template <class Source>
  static DeviceSamples of(BatchView<Source, DeviceSpace> const& batch, ConvolutionShape const& shape,
                          bool transposed) {
    return {batch.data,     transposed ? shape.input_pixels() : shape.output_pixels(),
            batch.features, batch.stride,
            batch.order,    transposed ? Kind::transposed : Kind::forward,
            shape.taps(),   shape};
  }

  WEIR_HOST_DEVICE constexpr bool is_batch_major() const { return order == BatchOrder::batch_major; }

  /// The line of a sample at a tap, or `outside`, also behind the last sample.
  WEIR_HOST_DEVICE constexpr std::size_t line(std::size_t sample, std::uint32_t tap) const {
    if (sample >= samples) return outside;
    if (kind == Kind::batch) return sample;
    return kind == Kind::forward ? shape.input_of(sample, tap) : shape.output_of(sample, tap);
  }
};

/// The lines of some samples, each `Apart` from the next, at a tap: those that a thread copies, of fewer
/// than 2^32 - 1 lines.
template <class Element, unsigned Count, unsigned Apart>
struct SampleLines {
  static constexpr std::uint32_t nowhere = 0xffff'ffffu;

  WEIR_HOST_DEVICE SampleLines(DeviceSamples<Element> const& in, std::size_t first_sample)
      : first(first_sample) {
    find(in, 0);
  }
  WEIR_HOST_DEVICE void find(DeviceSamples<Element> const& in, std::uint32_t wanted) {
    tap = wanted;
    unroll<static_cast<int>(Count)>([&](int i) {
      std::size_t const found = in.line(first + static_cast<unsigned>(i) * Apart, tap);
      line[i] = found == DeviceSamples<Element>::outside ? nowhere : static_cast<std::uint32_t>(found);
    });
  }
  WEIR_HOST_DEVICE bool has(unsigned i) const { return line[i] != nowhere; }

  std::size_t first;
  std::uint32_t tap = 0;
  std::uint32_t line[Count];
};

}  // namespace detail
}  // namespace weir::inline v1
