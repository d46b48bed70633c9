#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "arguments.hpp"
#include "errors.hpp"
#include "numbers.hpp"

namespace weir_train {

/// Reads the path of a file where the option is given, and says whether it is. Errors: `UsageError`.
inline bool read_path(Arguments const& a, char const* name, std::string& path) {
  if (!a.given(name)) return false;
  path = a[name];
  if (path.empty()) refuse_value(name, path, "the path of a file");
  return true;
}

/// The file that a path names, written in the one way in which all paths to it are the same.
inline std::filesystem::path file_of(std::string const& path) {
  std::error_code error;
  std::filesystem::path const absolute = std::filesystem::absolute(path, error);
  if (error) return path;
  std::filesystem::path const file = std::filesystem::weakly_canonical(absolute, error);
  return error ? absolute.lexically_normal() : file;
}

/// Of two outputs in one file only the second would be left, and of what is read nothing.
/// Errors: `UsageError`.
inline void refuse_same_file(Arguments const& a, std::vector<char const*> const& outputs,
                             std::vector<std::string> const& inputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (!a.given(outputs[i])) continue;
    std::string const& path = a[outputs[i]];
    std::error_code unknown;
    if (std::filesystem::is_character_file(path, unknown)) continue;  // such as /dev/null
    std::string const output = std::string(outputs[i]) + " " + path;
    std::filesystem::path const file = file_of(path);
    for (char const* other : std::span(outputs).first(i)) {
      if (a.given(other) && file_of(a[other]) == file)
        throw UsageError(output + ": " + other + " writes there, too; another file would be right");
    }
    for (std::string const& input : inputs) {
      if (!input.empty() && file_of(input) == file)
        throw UsageError(output + ": it would take the place of what is read; another file would be right");
    }
  }
}

}  // namespace weir_train
