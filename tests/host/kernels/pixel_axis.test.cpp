#include "weir/host/kernels/pixel_axis.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

namespace {

using weir::detail::PixelAxis;

TEST_CASE("an axis has every stride-th pixel and the taps that may read it, in order") {
  for (std::uint32_t const stride : {1u, 2u, 3u, 4u}) {
    for (std::uint32_t const dilation : {1u, 2u, 3u, 6u}) {
      for (std::uint32_t const padding : {0u, 1u, 5u}) {
        for (std::uint32_t first = 0; first < stride; ++first) {
          constexpr std::uint32_t extent = 9, kernel = 5;
          PixelAxis const axis = PixelAxis::of(extent, kernel, stride, padding, dilation, first);
          CAPTURE(stride);
          CAPTURE(dilation);
          CAPTURE(padding);
          CAPTURE(first);
          std::uint32_t pixels = 0, taps = 0;
          for (std::uint32_t pixel = 0; pixel < extent; ++pixel) {
            if (pixel % stride == first) CHECK(pixel == axis.first + pixels++ * axis.stride);
          }
          for (std::uint32_t tap = 0; tap < kernel; ++tap) {
            if (tap * dilation % stride == (first + padding) % stride)
              CHECK(tap == axis.first_tap + taps++ * axis.tap_step);
          }
          CHECK(axis.pixels == pixels);
          CHECK(axis.taps == taps);
        }
      }
    }
  }
}

TEST_CASE("a stride beyond the kernel leaves pixels that no tap reads") {
  CHECK(PixelAxis::of(5, 1, 3, 0, 1, 0).taps == 1);
  CHECK(PixelAxis::of(5, 1, 3, 0, 1, 2).taps == 0);
  CHECK(PixelAxis::of(5, 1, 3, 0, 1, 2).pixels == 1);
  CHECK(PixelAxis::of(5, 1, 3, 0, 1, 1).pixels == 2);
}

}  // namespace
