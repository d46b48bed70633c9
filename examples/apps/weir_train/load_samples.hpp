#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dataset.hpp"

namespace weir_train {

/// Copies images, pixels in [0, 1], one behind the other.
template <class Real>
void load_pixels(Images const& images, std::span<std::uint32_t const> samples, Real* to) {
  for (std::uint32_t const sample : samples) {
    for (std::uint8_t const pixel : images.image(sample))
      *to++ = static_cast<Real>(static_cast<float>(pixel) * images.scale);
  }
}

inline void load_labels(Images const& images, std::span<std::uint32_t const> samples, std::uint8_t* to) {
  for (std::uint32_t const sample : samples) {
    std::uint8_t const* const first = images.labels.data() + sample * images.labels_each;
    to = std::copy_n(first, images.labels_each, to);
  }
}

}  // namespace weir_train
