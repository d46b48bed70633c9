#pragma once

#include <algorithm>
#include <array>
#include <string>

namespace weir_train {

/// Why a process ends, in the form in which others are told.
struct ProcessFailure {
  ProcessFailure() = default;
  ProcessFailure(std::string const& line, int exit_status, bool is_of_another)
      : status(exit_status), is_consequence(is_of_another) {
    std::copy_n(line.begin(), std::min(line.size(), text.size() - 1), text.begin());
  }

  int status = 0;
  bool is_consequence = false;  // of what has happened in another process
  std::array<char, 1024> text = {};
};

}  // namespace weir_train
