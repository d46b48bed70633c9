#include "weir/host/kernels/sample_source.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace {

using Source = weir::detail::SampleSource<float>;

TEST_CASE("a sample of a batch is one of its rows") {
  std::vector<float> const numbers(30);
  Source const source(weir::batch_major(numbers.data(), 5, 4, 6));
  CHECK(source.samples == 5);
  CHECK(source.taps == 1);
  CHECK(source.row(3, 0) == numbers.data() + 18);
}

TEST_CASE("a tap of a pixel is another pixel, or none") {
  std::vector<float> const pixels(2 * 9 * 4);
  weir::ConvolutionShape const shape{
      .images = 2, .height = 3, .width = 3, .kernel_height = 3, .kernel_width = 3, .padding = 1};
  auto const batch = weir::batch_major(pixels.data(), 18, 4);
  Source const forward(batch, shape), transposed(batch, shape, 0, 0);
  CHECK(forward.samples == 18);
  CHECK(forward.taps == 9);
  CHECK(forward.row(9 + 4, 4) == pixels.data() + 13 * 4);  // the middle of the second image
  CHECK(forward.row(9 + 4, 0) == pixels.data() + 9 * 4);
  CHECK(forward.row(0, 0) == nullptr);
  CHECK(transposed.row(9, 0) == pixels.data() + 13 * 4);
  CHECK(transposed.row(9 + 8, 0) == nullptr);
  CHECK(transposed.place(9 + 8) == 9 + 8);
}

TEST_CASE("sources of every stride-th pixel have each pixel once, and each tap that reads it") {
  for (std::uint32_t const stride : {1u, 2u, 3u}) {
    for (std::uint32_t const dilation : {1u, 2u}) {
      weir::ConvolutionShape const shape{.images = 2,
                                         .height = 7,
                                         .width = 8,
                                         .kernel_height = 2,
                                         .kernel_width = 3,
                                         .stride = stride,
                                         .padding = 1,
                                         .dilation = dilation};
      CAPTURE(stride);
      CAPTURE(dilation);
      std::vector<float> const pixels(shape.output_pixels());
      std::vector<int> seen(shape.input_pixels());
      std::vector<std::size_t> reads(shape.input_pixels());
      for (std::uint32_t first = 0; first < stride * stride; ++first) {
        Source const source(weir::batch_major(pixels.data(), pixels.size(), 1), shape, first / stride,
                            first % stride);
        for (std::size_t sample = 0; sample < source.samples; ++sample) {
          std::size_t const place = source.place(sample);
          ++seen[place];
          for (std::uint32_t number = 0; number < source.taps; ++number) {
            std::uint32_t const tap = source.tap(number);
            std::size_t const output = shape.output_of(place, tap);
            bool const is_outside = output == weir::ConvolutionShape::outside;
            CHECK(source.row(sample, tap) == (is_outside ? nullptr : pixels.data() + output));
            reads[place] += is_outside ? 0 : 1;
          }
        }
      }
      CHECK(seen == std::vector<int>(shape.input_pixels(), 1));
      for (std::size_t place = 0; place < reads.size(); ++place) {
        std::size_t expected = 0;
        for (std::uint32_t tap = 0; tap < shape.taps(); ++tap) {
          expected += shape.output_of(place, tap) == weir::ConvolutionShape::outside ? 0 : 1;
        }
        CHECK(reads[place] == expected);
      }
    }
  }
}

}  // namespace
