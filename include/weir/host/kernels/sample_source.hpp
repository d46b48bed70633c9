#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/exec/batch_view.hpp"
#include "weir/exec/convolution_shape.hpp"
#include "weir/host/kernels/pixel_axis.hpp"
#include "weir/tensor/memory_space.hpp"

namespace weir::inline v1 {
namespace detail {

/// Where the features of a sample are: in a batch, or those of the pixel that a tap of a convolution reads
/// for it.
template <class Element>
struct SampleSource {
  using Batch = BatchView<Element const, HostSpace>;
  enum class Kind : std::uint8_t { batch, forward, transposed };

  SampleSource(Batch const& all) : batch(all), samples(all.samples) {}

  /// The output pixels.
  SampleSource(Batch const& all, ConvolutionShape const& convolution)
      : batch(all),
        shape(convolution),
        kind(Kind::forward),
        samples(shape.output_pixels()),
        taps(shape.taps()) {
    columns.taps = shape.kernel_width;
  }

  /// Every stride-th input pixel on both axes, from the first on. Each pixel is in one such source.
  SampleSource(Batch const& all, ConvolutionShape const& convolution, std::uint32_t first_row,
               std::uint32_t first_column)
      : batch(all),
        shape(convolution),
        kind(Kind::transposed),
        rows(PixelAxis::of(shape.height, shape.kernel_height, shape.stride, shape.padding, shape.dilation,
                           first_row)),
        columns(PixelAxis::of(shape.width, shape.kernel_width, shape.stride, shape.padding, shape.dilation,
                              first_column)),
        samples(std::size_t{shape.images} * rows.pixels * columns.pixels),
        taps(rows.taps * columns.taps) {}

  bool is_batch_major() const { return batch.is_batch_major(); }
  std::size_t features() const { return batch.features; }

  /// Of the taps that samples have, from 0 to `taps` - 1, its number among all.
  std::uint32_t tap(std::uint32_t number) const {
    std::uint32_t const down = rows.first_tap + number / columns.taps * rows.tap_step;
    return down * shape.kernel_width + columns.first_tap + number % columns.taps * columns.tap_step;
  }

  /// Where a sample's outputs belong.
  std::size_t place(std::size_t sample) const {
    if (kind != Kind::transposed || shape.stride == 1) return sample;
    std::size_t const row = sample / columns.pixels;
    std::size_t const y = rows.first + row % rows.pixels * rows.stride;
    std::size_t const x = columns.first + sample % columns.pixels * columns.stride;
    return (row / rows.pixels * shape.height + y) * shape.width + x;
  }

  /// Null where a tap lies outside. The batch is batch-major.
  Element const* row(std::size_t sample, std::uint32_t tap) const {
    if (kind == Kind::batch) return batch.data + sample * batch.stride;
    std::size_t const pixel =
        kind == Kind::forward ? shape.input_of(sample, tap) : shape.output_of(place(sample), tap);
    return pixel == ConvolutionShape::outside ? nullptr : batch.data + pixel * batch.stride;
  }

  Batch batch;
  ConvolutionShape shape = {};
  Kind kind = Kind::batch;
  PixelAxis rows = {};
  PixelAxis columns = {.taps = 1};
  std::size_t samples;
  std::uint32_t taps = 1;
};

}  // namespace detail
}  // namespace weir::inline v1
