#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "aligned_array.hpp"
#include "npy_file.hpp"
#include "weir/tensor/element_type.hpp"
#include "weir_train/errors.hpp"

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

/// Successive gradients of one bucket, so of one size and type. Errors: `RunError`.
inline std::vector<Gradient> read_gradients(std::vector<std::string> const& paths, bool is_bfloat16) {
  std::vector<Gradient> gradients;
  for (std::string const& path : paths) {
    auto const check = [&](NpyHead const& head) {
      if (gradients.empty()) return;
      Gradient const& first = gradients.front();
      if (head.size == first.size && head.type == first.type) return;
      auto const described = [](std::size_t size, weir::ElementType type) {
        return std::to_string(size) + " elements of " + weir::name_of(type);
      };
      throw weir_train::RunError(path + ": it has " + described(head.size, head.type) + "; " +
                                 described(first.size, first.type) + ", as in " + first.path +
                                 ", would be right");
    };
    NpyArray array = read_npy(path, is_bfloat16, check);
    gradients.push_back({path, array.head.type, array.head.size, std::move(array.bytes)});
  }
  return gradients;
}

}  // namespace weir_sparsify
