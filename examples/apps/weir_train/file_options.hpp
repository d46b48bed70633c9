#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "arguments.hpp"
#include "configuration.hpp"
#include "errors.hpp"
#include "path_option.hpp"

namespace weir_train {

/// Of two outputs in one file only the second would be left. Errors: `UsageError`.
inline void refuse_same(char const* name, std::string const& path, char const* other,
                        std::string const& other_path) {
  std::error_code unknown;
  bool const is_null = std::filesystem::is_character_file(path, unknown);
  if (path.empty() || path != other_path || is_null) return;
  throw UsageError(std::string(name) + " " + path + ": " + other +
                   " writes there, too; another file would be right");
}

/// Reads the paths of the files that a run reads and writes. Errors: `UsageError`.
inline void parse_files(Arguments const& a, Configuration& c) {
  read_path(a, "--save", c.save);
  read_path(a, "--load", c.load);
  read_path(a, "--trace", c.trace);
  read_path(a, "--timeline", c.timeline);
  refuse_same("--trace", c.trace, "--save", c.save);
  refuse_same("--timeline", c.timeline, "--save", c.save);
  refuse_same("--timeline", c.timeline, "--trace", c.trace);
}

}  // namespace weir_train
