#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

#include "weir/cuda/kernels/device_samples.cuh"

using weir::DeviceSpace;
using Samples = weir::detail::DeviceSamples<float>;

TEST_CASE("the line of a sample is that of the batch, or of the pixel that a tap reads") {
  std::vector<float> const data(100 * 4);
  auto const plain = Samples::of(weir::batch_major<DeviceSpace>(data.data(), 7, 4));
  CHECK(plain.line(6, 0) == 6);
  CHECK(plain.line(7, 0) == Samples::outside);
  CHECK(plain.taps == 1);

  weir::ConvolutionShape const shape{2, 5, 6, 3, 2, 2, 1, 1};
  auto const pixels = weir::batch_major<DeviceSpace>(data.data(), shape.input_pixels(), 4);
  auto const forward = Samples::of(pixels, shape, false);
  CHECK(forward.samples == shape.output_pixels());
  auto const outputs = weir::batch_major<DeviceSpace>(data.data(), shape.output_pixels(), 4);
  auto const back = Samples::of(outputs, shape, true);
  CHECK(back.samples == shape.input_pixels());
  std::size_t inside = 0;
  for (std::uint32_t tap = 0; tap < forward.taps; ++tap) {
    for (std::size_t sample = 0; sample < forward.samples; ++sample) {
      std::size_t const pixel = forward.line(sample, tap);
      if (pixel == Samples::outside) continue;
      ++inside;
      CHECK(back.line(pixel, tap) == sample);
    }
    CHECK(forward.line(forward.samples, tap) == Samples::outside);
  }
  CHECK(inside > 0);

  weir::detail::SampleLines<float, 4, 2> lines(plain, 2);
  CHECK((lines.line[0] == 2 && lines.line[2] == 6 && lines.has(2) && !lines.has(3)));
  lines.find(forward, forward.taps - 1);
  CHECK(
      (lines.tap == forward.taps - 1 && lines.has(0) && lines.line[0] == forward.line(2, forward.taps - 1)));
}
