#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "estimator.hpp"
#include "weir/compress/cost_table.hpp"
#include "weir/exec/sparsify_constants.hpp"

namespace weir_sparsify {

/// Where the last step is written to; empty: not at all.
struct OutputPaths {
  std::string indices = {};
  std::string values = {};
  std::string residual = {};
};

/// Ranks that would exchange what is sent, and what connects them.
struct Network {
  std::size_t ranks = 2;
  weir::Link link = {};
};

/// What the command line says.
struct Options {
  std::string help = {};  // what --help prints; if not empty, the rest has no meaning
  bool json = false;
  std::size_t threads = 1;
  bool on_gpu = false;

  std::vector<std::string> files = {};
  bool is_bfloat16 = false;
  std::size_t repeats = 1;  // of the list of files

  double density = 1.0;
  Estimator estimator = Estimator::histogram;
  bool has_feedback = false;
  std::size_t capacity = std::numeric_limits<std::size_t>::max();
  weir::SparsifyConstants constants = {};
  OutputPaths outputs = {};
  std::optional<Network> network = {};  // of which advice is asked
};

/// Errors: `UsageError`.
Options parse_options(int argc, char const* const* argv);

}  // namespace weir_sparsify
