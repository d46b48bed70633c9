#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "configuration.hpp"

namespace weir_train {

/// What the command line says.
struct Options {
  std::string help = {};  // what --help prints; if not empty, the rest has no meaning
  bool tour = true;       // no option of the training was given
  bool json = false;
  std::size_t threads = 1;  // in all
  Configuration configuration = {};
};

/// How many processes MPI has started, if it has.
struct MpiSize {
  std::optional<std::size_t> processes = {};
};

/// Errors: `UsageError` with one line that names the option, what is wrong and what would be right.
Options parse_options(int argc, char const* const* argv, MpiSize mpi);

}  // namespace weir_train
