#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "aligned_array.hpp"
#include "npy.hpp"
#include "weir_train/errors.hpp"
#include "weir_train/input_file.hpp"
#include "weir_train/within_memory.hpp"

namespace weir_sparsify {

/// An array that a .npy file held.
struct NpyArray {
  NpyHead head = {};
  AlignedArray<std::byte> bytes = {};
};

/// Reads a .npy file, whose data only if there is as much of it as the shape says. `check(head)` may refuse
/// it before that. Errors: those of `check`, and `RunError`.
template <class Check>
NpyArray read_npy(std::string const& path, bool is_bfloat16, Check const& check) {
  return weir_train::within_memory(path, [&] {
    weir_train::InputFile file(path);
    std::string taken;
    auto const take = [&](std::size_t size) -> std::string_view { return taken = file.read(size); };
    try {
      NpyHead const head = read_npy_head(take, is_bfloat16);
      head.check_data(file.rest());
      check(head);
      NpyArray array{head, AlignedArray<std::byte>(static_cast<std::size_t>(file.rest()))};
      file.read({array.bytes.data(), array.bytes.size()});
      return array;
    } catch (NpyError const& error) {
      throw weir_train::RunError(path + ": " + error.what());
    }
  });
}

}  // namespace weir_sparsify
