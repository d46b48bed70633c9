#pragma once

#include <cstddef>
#include <cstdint>

#include "../../examples/apps/weir_train/configuration.hpp"
#include "../../examples/apps/weir_train/dataset.hpp"

// What weir-train trains in tests on the stand-in.

namespace weir_train {

/// Images of 4 x 5 pixels whose brightest row is the label.
inline Images make_images(std::size_t count) {
  Images images{.shape = {4, 5, 1}, .classes = 4, .scale = 1.0f / 255.0f};
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t const label = i * 7 % 4;
    for (std::size_t pixel = 0; pixel < 20; ++pixel)
      images.pixels.push_back(
          static_cast<std::uint8_t>(pixel / 5 == label ? 120 + i % 50 : (i * pixel) % 90));
    images.labels.push_back(static_cast<std::uint8_t>(label));
  }
  return images;
}

inline Dataset const& data() {
  static Dataset const data{make_images(157), make_images(40)};
  return data;
}

inline Configuration configuration(std::size_t workers, std::size_t micro_batches) {
  Configuration c;
  c.hidden = {7, 9};
  c.workers = workers;
  c.micro_batches = micro_batches;
  c.batch = 24 / (workers * micro_batches);  // the last of an epoch has 13 samples
  c.epochs = 4;
  c.bucket_bytes = 300;
  c.seed = 3;
  return c;
}

}  // namespace weir_train
