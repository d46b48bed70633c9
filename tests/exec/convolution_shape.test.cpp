#include "weir/exec/convolution_shape.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <initializer_list>

namespace {

static_assert(weir::ConvolutionShape{
                  .height = 32, .width = 32, .kernel_height = 3, .kernel_width = 3, .padding = 1}
                  .output_pixels() == 1024);
static_assert(weir::ConvolutionShape{
                  .height = 7, .width = 9, .kernel_height = 5, .kernel_width = 3, .stride = 2}
                  .output_pixels() == 2 * 4);
static_assert(weir::ConvolutionShape{.height = 2, .width = 9, .kernel_height = 3}.output_height() == 0);

// Nothing wraps at 2^32.
static_assert(weir::ConvolutionShape{
                  .height = 4, .width = 4, .kernel_height = 3, .kernel_width = 3, .dilation = 1u << 31}
                  .output_height() == 0);
static_assert(weir::ConvolutionShape{.height = 5, .kernel_height = 3, .padding = (1u << 31) - 3}
                  .output_height() == 0xffff'fffd);

TEST_CASE("what a tap of an output reads is read by that tap of that output") {
  for (std::uint32_t stride : {1u, 2u, 3u}) {
    for (std::uint32_t padding : {0u, 1u, 3u}) {
      for (std::uint32_t dilation : {1u, 2u}) {
        weir::ConvolutionShape const shape{2, 8, 7, 3, 2, stride, padding, dilation};
        for (std::uint32_t tap = 0; tap < shape.taps(); ++tap) {
          std::size_t read = 0, seen = 0;
          for (std::size_t output = 0; output < shape.output_pixels(); ++output) {
            std::size_t const input = shape.input_of(output, tap);
            if (input == weir::ConvolutionShape::outside) continue;
            ++read;
            REQUIRE(input < shape.input_pixels());
            CHECK(shape.output_of(input, tap) == output);
          }
          for (std::size_t input = 0; input < shape.input_pixels(); ++input) {
            if (shape.output_of(input, tap) != weir::ConvolutionShape::outside) ++seen;
          }
          CHECK(read == seen);
        }
      }
    }
  }
}

}  // namespace
