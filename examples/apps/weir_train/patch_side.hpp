#pragma once

#include <cstddef>

#include "dataset.hpp"

namespace weir_train {

/// The side of the patches that an image is cut into; 0 if it has an odd height or width.
constexpr std::size_t patch_side(Shape const& image) {
  bool const is_large = image.height >= 16 && image.height % 4 == 0 && image.width % 4 == 0;
  return is_large ? 4 : image.height % 2 == 0 && image.width % 2 == 0 ? 2 : 0;
}

}  // namespace weir_train
