#pragma once

#include <string>
#include <string_view>

namespace weir::inline v1 {

/// A place in a source file: as a default argument, `Where = Where::here()`, that of the caller.
/// (`std::source_location`, which clang 14 lacks.)
struct Where {
  char const* file;
  unsigned line;

  static constexpr Where here(char const* file = __builtin_FILE(), unsigned line = __builtin_LINE()) {
    return {file, line};
  }

  /// "executor.hpp:31", whatever folder the file lies in.
  std::string text() const {
    std::string_view name = file;
    name.remove_prefix(name.find_last_of('/') + 1);  // of npos: 0
    return std::string(name) + ':' + std::to_string(line);
  }
};

}  // namespace weir::inline v1
