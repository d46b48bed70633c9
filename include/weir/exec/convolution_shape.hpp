#pragma once

#include <cstddef>
#include <cstdint>

#include "weir/core/host_device.hpp"

namespace weir::inline v1 {

/// The geometry of a two-dimensional convolution. Pixels are samples, in the order image, row, column;
/// channels are features. Values come tap by tap: those of tap (u, v) begin at (u * kernel_width + v) times
/// the mask's value count.
///
/// Sides, their padding included, and the number of taps are below 2^32; products refuse others.
struct ConvolutionShape {
  std::uint32_t images = 1;
  std::uint32_t height = 1;  // of the input
  std::uint32_t width = 1;
  std::uint32_t kernel_height = 1;
  std::uint32_t kernel_width = 1;
  std::uint32_t stride = 1;
  std::uint32_t padding = 0;
  std::uint32_t dilation = 1;

  friend constexpr bool operator==(ConvolutionShape const&, ConvolutionShape const&) = default;

  WEIR_HOST_DEVICE constexpr std::uint32_t taps() const { return kernel_height * kernel_width; }
  /// 0 where the kernel does not fit.
  WEIR_HOST_DEVICE constexpr std::uint32_t output_height() const { return extent(height, kernel_height); }
  WEIR_HOST_DEVICE constexpr std::uint32_t output_width() const { return extent(width, kernel_width); }
  WEIR_HOST_DEVICE constexpr std::size_t input_pixels() const { return std::size_t{images} * height * width; }
  WEIR_HOST_DEVICE constexpr std::size_t output_pixels() const {
    return std::size_t{images} * output_height() * output_width();
  }

  static constexpr std::size_t outside = static_cast<std::size_t>(-1);

  /// The input pixel that a tap of an output pixel reads, or `outside`.
  WEIR_HOST_DEVICE constexpr std::size_t input_of(std::size_t output, std::uint32_t tap) const {
    std::size_t const row = output / output_width() % output_height();
    std::size_t const column = output % output_width();
    std::size_t const image = output / (std::size_t{output_height()} * output_width());
    std::size_t const y = row * stride + tap / kernel_width * dilation;
    std::size_t const x = column * stride + tap % kernel_width * dilation;
    if (y < padding || x < padding || y - padding >= height || x - padding >= width) return outside;
    return (image * height + (y - padding)) * width + (x - padding);
  }

  /// The output pixel of which a tap reads an input pixel, or `outside`.
  WEIR_HOST_DEVICE constexpr std::size_t output_of(std::size_t input, std::uint32_t tap) const {
    std::size_t const image = input / (std::size_t{height} * width);
    std::size_t const y = input / width % height + padding;
    std::size_t const x = input % width + padding;
    std::size_t const down = std::size_t{tap} / kernel_width * dilation;
    std::size_t const right = std::size_t{tap} % kernel_width * dilation;
    if (y < down || x < right || (y - down) % stride != 0 || (x - right) % stride != 0) return outside;
    std::size_t const row = (y - down) / stride;
    std::size_t const column = (x - right) / stride;
    if (row >= output_height() || column >= output_width()) return outside;
    return (image * output_height() + row) * output_width() + column;
  }

 private:
  WEIR_HOST_DEVICE constexpr std::uint32_t extent(std::uint32_t size, std::uint32_t kernel) const {
    std::uint64_t const padded = size + std::uint64_t{2} * padding;
    std::uint64_t const covered = std::uint64_t{dilation} * (kernel - 1) + 1;
    return padded < covered ? 0 : static_cast<std::uint32_t>(padded - covered) / stride + 1;
  }
};

}  // namespace weir::inline v1
