#pragma once

#include <cstdint>

namespace weir::inline v1 {
namespace detail {

/// Along one axis of a transposed convolution: every input pixel that lies a multiple of the stride behind
/// another, and the taps by which any of them is read. All other taps step over all of them.
struct PixelAxis {
  std::uint32_t first = 0;
  std::uint32_t stride = 1;
  std::uint32_t pixels = 0;
  std::uint32_t first_tap = 0;
  std::uint32_t tap_step = 1;
  std::uint32_t taps = 0;

  /// Of `extent` pixels and `kernel` taps. The first is below `stride` and `extent`.
  static constexpr PixelAxis of(std::uint32_t extent, std::uint32_t kernel, std::uint32_t stride,
                                std::uint32_t padding, std::uint32_t dilation, std::uint32_t first) {
    PixelAxis axis;
    axis.first = first;
    axis.stride = stride;
    axis.pixels = count(first, extent, stride);
    std::uint64_t const distance = (std::uint64_t{first} + padding) % stride;  // of what reads it, at tap 0
    std::uint64_t const step = dilation % stride;
    while (axis.first_tap < kernel && axis.first_tap * step % stride != distance) ++axis.first_tap;
    while (axis.tap_step * step % stride != 0) ++axis.tap_step;
    axis.taps = count(axis.first_tap, kernel, axis.tap_step);
    return axis;
  }

 private:
  /// Of first, first + step, ... those below `end`.
  static constexpr std::uint32_t count(std::uint32_t first, std::uint32_t end, std::uint32_t step) {
    return first < end ? (end - first - 1) / step + 1 : 0;
  }
};

}  // namespace detail
}  // namespace weir::inline v1
