#pragma once

#include <string>

#include "input_file.hpp"
#include "within_memory.hpp"

namespace weir_train {

/// What `parse(bytes)` makes of the bytes of a file. Errors: its own, and `RunError`.
template <class Parse>
auto read_file(std::string const& path, Parse const& parse) {
  return within_memory(path, [&] {
    InputFile file(path);
    return parse(file.read(file.size()));
  });
}

}  // namespace weir_train
