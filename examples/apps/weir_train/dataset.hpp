#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace weir_train {

/// Height x width pixels, the channels of a pixel side by side.
struct Shape {
  std::size_t height = 1;
  std::size_t width = 1;
  std::size_t channels = 1;

  std::size_t size() const { return height * width * channels; }
  std::size_t pixels() const { return height * width; }
  friend bool operator==(Shape const&, Shape const&) = default;
};

/// Labelled images of one shape, one byte a value. Or pieces of a text: a row for each token, which is a
/// number below `classes`, with a label each, which is the next token.
struct Images {
  Shape shape;
  std::size_t classes = 10;
  float scale = 1.0f;           // maps the bytes to [0, 1]
  std::size_t labels_each = 1;  // of an image; of a text, as many as tokens
  std::vector<std::uint8_t> pixels = {};
  std::vector<std::uint8_t> labels = {};

  bool is_text() const { return labels_each != 1; }
  std::size_t size() const { return labels.size() / labels_each; }
  std::span<std::uint8_t const> image(std::size_t index) const {
    return {pixels.data() + index * shape.size(), shape.size()};
  }

  /// Takes the last `count` images away and returns them.
  Images split_off(std::size_t count) {
    auto const keep = size() - count;
    auto const first_pixel = pixels.begin() + static_cast<std::ptrdiff_t>(keep * shape.size());
    auto const first_label = labels.begin() + static_cast<std::ptrdiff_t>(keep * labels_each);
    Images tail{shape, classes, scale, labels_each, {first_pixel, pixels.end()}, {first_label, labels.end()}};
    pixels.resize(keep * shape.size());
    labels.resize(keep * labels_each);
    return tail;
  }
};

struct Dataset {
  Images train;
  Images test;
};

}  // namespace weir_train
