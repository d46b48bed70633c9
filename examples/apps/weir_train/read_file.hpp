#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "errors.hpp"

namespace weir_train {

/// The bytes of a file. Errors: `RunError`.
inline std::string read_file(std::string const& path) {
  auto const refuse = [&path](int error) {
    throw RunError(path + ": cannot be read (" + std::strerror(error) + "); a readable file would be right");
  };
  auto const close = [](std::FILE* file) { std::fclose(file); };
  std::unique_ptr<std::FILE, decltype(close)> const file(std::fopen(path.c_str(), "rb"), close);
  if (!file) refuse(errno);
  std::string bytes;
  char piece[1 << 16];
  for (std::size_t got; (got = std::fread(piece, 1, sizeof piece, file.get())) != 0;)
    bytes.append(piece, got);
  if (std::ferror(file.get()) != 0) refuse(errno);  // a folder, for instance
  return bytes;
}

}  // namespace weir_train
