#pragma once

#include <string>

#include "arguments.hpp"
#include "numbers.hpp"

namespace weir_train {

/// Reads the path of a file where the option is given, and says whether it is. Errors: `UsageError`.
inline bool read_path(Arguments const& a, char const* name, std::string& path) {
  if (!a.given(name)) return false;
  path = a[name];
  if (path.empty()) refuse_value(name, path, "the path of a file");
  return true;
}

}  // namespace weir_train
