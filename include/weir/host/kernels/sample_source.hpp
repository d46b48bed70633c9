#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/batch_view.hpp"
#include "weir/exec/convolution_shape.hpp"
#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {
namespace detail {

/// Where the features of a sample are: in a batch, or those of the pixel that a tap of a convolution reads
/// for it.
template <class Element>
struct SampleSource {
  enum class Kind : std::uint8_t { batch, forward, transposed };

  SampleSource(BatchView<Element const, HostSpace> const& all) : batch(all), samples(all.samples) {}

  SampleSource(BatchView<Element const, HostSpace> const& all, ConvolutionShape const& convolution,
               bool transposed)
      : batch(all),
        shape(convolution),
        kind(transposed ? Kind::transposed : Kind::forward),
        samples(transposed ? shape.input_pixels() : shape.output_pixels()),
        taps(shape.taps()) {}

  bool is_batch_major() const { return batch.is_batch_major(); }
  std::size_t features() const { return batch.features; }

  /// Null where a tap lies outside. The batch is batch-major.
  Element const* row(std::size_t sample, std::uint32_t tap) const {
    if (kind == Kind::batch) return batch.data + sample * batch.stride;
    std::size_t const pixel =
        kind == Kind::forward ? shape.input_of(sample, tap) : shape.output_of(sample, tap);
    return pixel == ConvolutionShape::outside ? nullptr : batch.data + pixel * batch.stride;
  }

  BatchView<Element const, HostSpace> batch;
  ConvolutionShape shape = {};
  Kind kind = Kind::batch;
  std::size_t samples;
  std::uint32_t taps = 1;
};

}  // namespace detail
}  // namespace weir::inline v1
