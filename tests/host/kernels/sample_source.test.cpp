#include "weir/host/kernels/sample_source.hpp"

#include <doctest/doctest.h>

#include <cstddef>
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
  Source const forward(batch, shape, false), transposed(batch, shape, true);
  CHECK(forward.samples == 18);
  CHECK(forward.taps == 9);
  CHECK(forward.row(9 + 4, 4) == pixels.data() + 13 * 4);  // the middle of the second image
  CHECK(forward.row(9 + 4, 0) == pixels.data() + 9 * 4);
  CHECK(forward.row(0, 0) == nullptr);
  CHECK(transposed.row(9, 0) == pixels.data() + 13 * 4);
  CHECK(transposed.row(9 + 8, 0) == nullptr);
}

}  // namespace
