#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "weir/stage/weight_policy.hpp"

namespace weir_plan {

/// What the command line says.
struct Options {
  std::string help = {};  // what --help prints; if not empty, the rest has no meaning
  bool json = false;
  std::size_t threads = 1;
  std::uint64_t seed = 0;

  std::string profile = {};
  std::size_t batch = 0;
  std::size_t unit = 1;
  std::size_t local_batch = 0;                         // 0: the best one
  std::optional<weir::WeightPolicy> weight_sync = {};  // or what is recommended for the profile
  bool simulate = false;
  std::string chart = {};

  bool measure = false;
  std::string output = {};
  bool on_device = false;
};

/// Errors: `UsageError` with one line that names the option, what is wrong and what would be right.
Options parse_options(int argc, char const* const* argv);

}  // namespace weir_plan
