#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "errors.hpp"

namespace weir_train {

/// Errors: `RunError` where standard output does not take all of it.
inline void write_out(std::string const& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return;
  throw RunError(std::string("standard output: cannot be written (") + std::strerror(errno) +
                 "); one with room for the report would be right");
}

}  // namespace weir_train
