#pragma once

#include <cstddef>
#include <cstdlib>
#include <string>

namespace weir_test {

/// Ends the program unless an error is one short line that can be printed.
inline std::string checked_line(std::string line, std::size_t most) {
  if (line.empty() || line.size() > most) std::abort();
  for (char const c : line) {
    if (c < ' ' || c > '~') std::abort();
  }
  return line;
}

}  // namespace weir_test
