#pragma once

#include <cstdint>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

#include "errors.hpp"

namespace weir_train {

/// What `read()` returns, which reads a file. Errors: `RunError` that names the file where memory is too
/// small for it.
template <class Read>
auto within_memory(std::string const& path, Read const& read) {
  try {
    return read();
  } catch (std::bad_alloc const&) {
    std::error_code unknown;
    std::uintmax_t const size = std::filesystem::file_size(path, unknown);
    throw RunError(path + ": out of memory" +
                   (unknown ? "" : " for what its " + std::to_string(size) + " bytes hold") +
                   "; a smaller file would be right");
  }
}

}  // namespace weir_train
