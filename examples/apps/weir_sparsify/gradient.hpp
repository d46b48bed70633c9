#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "aligned_array.hpp"
#include "npy.hpp"
#include "weir/tensor/element_type.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/read_file.hpp"

namespace weir_sparsify {

/// The gradient of one step, as a file holds it.
struct Gradient {
  std::string path;
  weir::ElementType type = weir::ElementType::float32;
  std::size_t size = 0;
  AlignedArray<std::byte> bytes = {};

  template <class Element>
  Element const* as() const {
    return reinterpret_cast<Element const*>(bytes.data());
  }
};

/// Errors: `RunError`.
inline Gradient read_gradient(std::string const& path, bool is_bfloat16) {
  std::string const file = weir_train::read_file(path);
  try {
    NpyContent const content = parse_npy(file, is_bfloat16);
    Gradient gradient{path, content.type, content.size, AlignedArray<std::byte>(content.data.size())};
    std::memcpy(gradient.bytes.data(), content.data.data(), content.data.size());
    return gradient;
  } catch (NpyError const& error) {
    throw weir_train::RunError(path + ": " + error.what());
  }
}

/// Successive gradients of one bucket, so of one size and type. Errors: `RunError`.
inline std::vector<Gradient> read_gradients(std::vector<std::string> const& paths, bool is_bfloat16) {
  std::vector<Gradient> gradients;
  for (std::string const& path : paths) {
    gradients.push_back(read_gradient(path, is_bfloat16));
    Gradient const& first = gradients.front();
    Gradient const& last = gradients.back();
    if (last.size == first.size && last.type == first.type) continue;
    auto const described = [](Gradient const& gradient) {
      return std::to_string(gradient.size) + " elements of " + weir::name_of(gradient.type);
    };
    throw weir_train::RunError(path + ": it has " + described(last) + "; " + described(first) + ", as in " +
                               first.path + ", would be right");
  }
  return gradients;
}

}  // namespace weir_sparsify
